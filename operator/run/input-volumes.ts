import { POD_PATHS } from "../../runner/pod-layout.ts";
import type { RunInputs } from "../api/run.ts";
import type { Container, PodSpec } from "../cluster/kinds.ts";

type Volume = NonNullable<PodSpec["volumes"]>[number];
type Mount = NonNullable<Container["volumeMounts"]>[number];

export interface InputVolume {
  readonly volume: Volume;
  readonly mount: Mount;
}

const unique = (names: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(names.filter((name) => name !== undefined))].sort();

/**
 * One volume for each Secret and ConfigMap that the Run names, for the agent only. All are optional: the kubelet lets a pod
 * with a missing required one wait in silence, whereas the agent says at once what is missing.
 */
export function inputVolumes({ source, variables, credentials }: RunInputs): readonly InputVolume[] {
  const secrets = unique([
    ...variables.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ...credentials.map(({ secretRef }) => secretRef.name),
    source.git?.secretRef?.name,
  ]);
  const configMaps = unique([
    ...variables.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
    source.configMap?.name,
  ]);
  return [
    ...secrets.map((name, index) => ({
      volume: { name: `secret-${index}`, secret: { secretName: name, optional: true } },
      mount: { name: `secret-${index}`, mountPath: `${POD_PATHS.secretInputs}/${name}`, readOnly: true },
    })),
    ...configMaps.map((name, index) => ({
      volume: { name: `configmap-${index}`, configMap: { name, optional: true } },
      mount: { name: `configmap-${index}`, mountPath: `${POD_PATHS.configMapInputs}/${name}`, readOnly: true },
    })),
  ];
}
