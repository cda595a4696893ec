{{- define "isoline.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains "isoline" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-isoline" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of what has no namespace: two releases of one name may stand in two namespaces. */}}
{{- define "isoline.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "isoline.fullname" .) -}}
{{- end -}}

{{- define "isoline.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: isoline
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "isoline.controlPlane.selector" -}}
app.kubernetes.io/name: isoline
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: control-plane
{{- end -}}

{{/* The policies of Apps know the gateway's Envoys by `app: envoy`, as those of Contour's users do. */}}
{{- define "isoline.envoy.selector" -}}
app: envoy
app.kubernetes.io/name: isoline
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: envoy
{{- end -}}

{{- define "isoline.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default .version }}
{{- end -}}
{{- end -}}

{{- define "isoline.ownImage" -}}
image: {{ include "isoline.image" (merge (dict "version" .Chart.AppVersion) .Values.image) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end -}}

{{- define "isoline.envoyImage" -}}
{{- if .Values.envoy.image.repository -}}
image: {{ include "isoline.image" (merge (dict "version" "") .Values.envoy.image) }}
imagePullPolicy: {{ .Values.envoy.image.pullPolicy }}
{{- else -}}
{{ include "isoline.ownImage" . }}
{{- end -}}
{{- end -}}

{{- define "isoline.priorityClassName" -}}
{{- if .Values.priorityClass.create -}}
{{ include "isoline.clusterName" . }}
{{- else -}}
{{ .Values.priorityClass.name }}
{{- end -}}
{{- end -}}

{{/* Where Envoy listens: the ports of the node itself, or ports that need no privilege. */}}
{{- define "isoline.envoy.httpPort" -}}
{{ ternary .Values.envoy.hostPorts.http .Values.envoy.ports.http (eq .Values.envoy.mode "HostNetwork") }}
{{- end -}}
{{- define "isoline.envoy.httpsPort" -}}
{{ ternary .Values.envoy.hostPorts.https .Values.envoy.ports.https (eq .Values.envoy.mode "HostNetwork") }}
{{- end -}}
