/** Where things are inside a runner pod. The pod's manifest, the agent and the launcher agree on this file. */

export const POD_PATHS = {
  /** Agent writes, engine reads: the source under `source/`, more files of the working directory under `overlay/`. */
  in: "/terrarium/in",
  /** Engine writes, agent reads; the working directory is `work/`. */
  out: "/terrarium/out",
  work: "/terrarium/out/work",
  /** Both: the Unix socket on which the agent listens, and its farewell. */
  socketDir: "/terrarium/socket",
  socket: "/terrarium/socket/engine.sock",
  /** In memory; agent writes, engine reads: the variable file, and what git and TLS need. */
  secrets: "/terrarium/secrets",
  /** In memory; agent writes, engine reads: one folder for each entry of `credentials` that is given as Files. */
  credentials: "/terrarium/credentials",
  /** Agent only: its spool, which outlives a restart of its container. */
  spool: "/terrarium/spool",
  /** Agent only: one folder for each Secret or ConfigMap of the namespace that the Run names, mounted by the kubelet. */
  secretInputs: "/terrarium/inputs/secrets",
  configMapInputs: "/terrarium/inputs/configmaps",
  /** Agent only: the projected token for the gateway. */
  token: "/terrarium/gateway/token",
  /** Both: certificates that the Run trusts besides the public ones, where runner.caBundle names some. */
  caBundle: "/terrarium/ca/ca.crt",
} as const;

/** Port on the pod's loopback at which the agent serves the state to the engine. A saved plan holds it. */
export const STATE_PORT = 8470;

/**
 * What process 1 of each container is. At a SIGUSR1, Node.js would open its inspector, over which any process of the pod
 * could run code in it: the engine's code may send its launcher one, since both have the same user id.
 */
export const COMMANDS = {
  agent: ["node", "--disable-sigusr1", "/opt/terrarium/agent.mjs"],
  engine: ["node", "--disable-sigusr1", "/opt/terrarium/launcher.mjs"],
} as const;

/** User ids of the two containers, and the group that lets them share volumes. */
export const AGENT_UID = 65_532;
export const ENGINE_UID = 65_533;
export const SHARED_GID = 65_534;

/** Settings of the agent's container. The gateway's certificate is public. */
export const AGENT_ENV = {
  gatewayUrl: "TERRARIUM_GATEWAY_URL",
  gatewayCa: "TERRARIUM_GATEWAY_CA",
  namespace: "TERRARIUM_RUN_NAMESPACE",
  run: "TERRARIUM_RUN",
  phase: "TERRARIUM_RUN_PHASE",
} as const;

/** Most bytes of a termination message that the agent writes; the kubelet cuts at 4096. */
export const TERMINATION_MESSAGE_BYTES = 3_500;
