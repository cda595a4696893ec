{{/* One Envoy: its bootstrap, itself, and what ends it in order. */}}
{{- define "isoline.envoy.pod" -}}
{{- $mode := .Values.envoy.mode }}
{{- $low := and (eq $mode "HostNetwork") (not .Values.envoy.unprivilegedPorts) (or (lt (int .Values.envoy.hostPorts.http) 1024) (lt (int .Values.envoy.hostPorts.https) 1024)) }}
metadata:
  labels:
    {{- include "isoline.labels" . | nindent 4 }}
    app: envoy
    app.kubernetes.io/component: envoy
  {{- with .Values.envoy.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "isoline.fullname" . }}-envoy
  # Envoy asks the control plane, and nobody else.
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: {{ .Values.envoy.drain.gracePeriodSeconds }}
  {{- if eq $mode "HostNetwork" }}
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  securityContext: {{- include "isoline.podSecurity" . | nindent 4 }}
  {{- include "isoline.placement" (dict "root" . "values" .Values.envoy "selector" "isoline.envoy.selector") | nindent 2 }}
  initContainers:
    - name: bootstrap
      {{- include "isoline.ownImage" . | nindent 6 }}
      args:
        - envoy
        - bootstrap
        - /config/envoy.json
        - --xds-address={{ include "isoline.fullname" . }}.{{ .Release.Namespace }}.svc
        - --xds-port=8001
        - --admin-address=/admin/admin.sock
        - --envoy-cafile=/certificates/ca.crt
        - --envoy-cert-file=/certificates/tls.crt
        - --envoy-key-file=/certificates/tls.key
        - --overload-max-heap={{ int64 .Values.envoy.maxHeapBytes }}
        - --overload-downstream-max-conn={{ int64 .Values.envoy.maxConnections }}
      env:
        - name: ENVOY_POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
      resources: {{- toYaml .Values.envoy.shutdownManager.resources | nindent 8 }}
      securityContext: {{- include "isoline.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: certificates, mountPath: /certificates, readOnly: true}
        - {name: config, mountPath: /config}
        - {name: tmp, mountPath: /tmp}
  containers:
    - name: shutdown-manager
      {{- include "isoline.ownImage" . | nindent 6 }}
      args: [envoy, shutdown-manager, --serve-address=$(POD_IP), --serve-port={{ .Values.envoy.ports.shutdownManager }}, --log-format={{ .Values.controlPlane.logFormat }}]
      env: {{- include "isoline.podIP" . | nindent 8 }}
      ports:
        - {name: metrics, containerPort: {{ .Values.envoy.ports.shutdownManager }}}
      startupProbe:
        httpGet: {path: /healthz, port: metrics}
        periodSeconds: 1
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: metrics}
        periodSeconds: 10
        timeoutSeconds: 5
      lifecycle:
        preStop:
          exec:
            command: [isoline, envoy, shutdown, --drain-delay={{ .Values.envoy.drain.delay }}, --check-interval={{ .Values.envoy.drain.checkInterval }}]
      resources: {{- toYaml .Values.envoy.shutdownManager.resources | nindent 8 }}
      securityContext: {{- include "isoline.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: admin, mountPath: /admin}
        - {name: tmp, mountPath: /tmp}
    - name: envoy
      {{- include "isoline.envoyImage" . | nindent 6 }}
      command: [envoy]
      args:
        - --config-path
        - /config/envoy.json
        - --disable-hot-restart
        - --log-level
        - {{ .Values.envoy.logLevel }}
        {{- if .Values.envoy.concurrency }}
        - --concurrency
        - {{ .Values.envoy.concurrency | quote }}
        {{- end }}
      ports:
        - name: http
          containerPort: {{ include "isoline.envoy.httpPort" . }}
          {{- if eq $mode "HostPort" }}
          hostPort: {{ .Values.envoy.hostPorts.http }}
          {{- end }}
        - name: https
          containerPort: {{ include "isoline.envoy.httpsPort" . }}
          {{- if eq $mode "HostPort" }}
          hostPort: {{ .Values.envoy.hostPorts.https }}
          {{- end }}
        {{- if .Values.envoy.http3 }}
        - name: http3
          protocol: UDP
          containerPort: {{ include "isoline.envoy.httpsPort" . }}
          {{- if eq $mode "HostPort" }}
          hostPort: {{ .Values.envoy.hostPorts.https }}
          {{- end }}
        {{- end }}
      readinessProbe:
        httpGet: {path: /ready, port: {{ .Values.envoy.ports.shutdownManager }}}
        periodSeconds: 3
        timeoutSeconds: 3
      lifecycle:
        preStop:
          httpGet: {path: /shutdown, port: {{ .Values.envoy.ports.shutdownManager }}}
      resources: {{- toYaml .Values.envoy.resources | nindent 8 }}
      securityContext:
        {{- if $low }}
        # A program that is not root has no way to a port of the node below 1024, unless the node's sysctl
        # net.ipv4.ip_unprivileged_port_start opens it (`envoy.unprivilegedPorts`).
        runAsNonRoot: false
        runAsUser: 0
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
        {{- else }}
        {{- include "isoline.containerSecurity" . | nindent 8 }}
        {{- end }}
      volumeMounts:
        - {name: certificates, mountPath: /certificates, readOnly: true}
        - {name: config, mountPath: /config, readOnly: true}
        - {name: admin, mountPath: /admin}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: certificates
      secret:
        secretName: {{ .Values.certificates.envoySecret | default "isoline-xds-envoy" }}
        defaultMode: 0440
    - name: config
      emptyDir: {}
    - name: admin
      emptyDir: {medium: Memory, sizeLimit: 1Mi}
    - name: tmp
      emptyDir: {}
{{- end -}}
