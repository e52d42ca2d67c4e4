{{/*
Names are fixed: definitions, roles and policies are of the whole cluster, so there is one operator in it.
*/}}

{{- define "terrarium.labels" -}}
app.kubernetes.io/name: terrarium
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: terrarium
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "terrarium.operator.selector" -}}
app.kubernetes.io/name: terrarium
app.kubernetes.io/component: operator
{{- end }}

{{- define "terrarium.resolver.selector" -}}
app.kubernetes.io/name: terrarium
app.kubernetes.io/component: resolver
{{- end }}

{{- define "terrarium.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The operator as the API server names it. */}}
{{- define "terrarium.operator.user" -}}
system:serviceaccount:{{ .Release.Namespace }}:terrarium-operator
{{- end }}

{{/* What every pod of the chart has in common: the rules of the Pod Security Standard "restricted". */}}
{{- define "terrarium.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "terrarium.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "terrarium.scheduling" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
