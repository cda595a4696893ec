{{/* A Job of its own before an installation or upgrade. Takes `root`, `what` and `args`. */}}
{{- define "isoline.setup.job" -}}
{{- $name := printf "%s-%s" (include "isoline.fullname" .root) .what }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "isoline.labels" .root | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 5
  activeDeadlineSeconds: 300
  template:
    metadata:
      labels:
        {{- include "isoline.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .what }}
    spec:
      restartPolicy: OnFailure
      serviceAccountName: {{ $name }}
      securityContext: {{- include "isoline.podSecurity" .root | nindent 8 }}
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets: {{ toJson . }}
      {{- end }}
      containers:
        - name: {{ .what }}
          {{- include "isoline.ownImage" .root | nindent 10 }}
          args: {{ toJson .args }}
          env:
            - name: ISOLINE_NAMESPACE
              valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
          resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 256Mi}}
          securityContext: {{- include "isoline.containerSecurity" .root | nindent 12 }}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes: [{name: tmp, emptyDir: {}}]
{{- end -}}

{{/* Who runs it. Takes `root`, `what`, `kind` (Role or ClusterRole) and `rules`. */}}
{{- define "isoline.setup.account" -}}
{{- $name := printf "%s-%s" (include "isoline.fullname" .root) .what }}
{{- $role := ternary $name (printf "%s-%s" (include "isoline.clusterName" .root) .what) (eq .kind "Role") }}
{{- $annotations := dict "helm.sh/hook" "pre-install,pre-upgrade" "helm.sh/hook-weight" "-10" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "isoline.labels" .root | nindent 4 }}
  annotations: {{- toYaml $annotations | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ $role }}
  {{- if eq .kind "Role" }}
  namespace: {{ .root.Release.Namespace }}
  {{- end }}
  labels: {{- include "isoline.labels" .root | nindent 4 }}
  annotations: {{- toYaml $annotations | nindent 4 }}
rules: {{- include "isoline.rules" .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ $role }}
  {{- if eq .kind "Role" }}
  namespace: {{ .root.Release.Namespace }}
  {{- end }}
  labels: {{- include "isoline.labels" .root | nindent 4 }}
  annotations: {{- toYaml $annotations | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ .kind }}, name: {{ $role }}}
subjects: [{kind: ServiceAccount, name: {{ $name }}, namespace: {{ .root.Release.Namespace }}}]
{{- end -}}
