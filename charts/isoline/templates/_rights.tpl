{{/* Rules of rights.yaml as a role has them: without the reason. */}}
{{- define "isoline.rules" -}}
{{- range . }}
- {{ omit . "why" | toJson }}
{{- end }}
{{- end -}}
