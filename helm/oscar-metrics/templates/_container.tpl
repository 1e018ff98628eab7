{{- define "oscar-metrics.container" -}}
- name: oscar-metrics
  image: {{ include "oscar-metrics.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    - serve
    - --config.file=/etc/oscar-metrics/config/oscar-metrics.yaml
    {{- if .Values.configFallback }}
    - --config.fallback
    {{- end }}
    - --otlp.grpc.listen-address=:4317
    - --otlp.http.listen-address=:4318
    - --web.listen-address=:9464
    {{- if or .Values.web.existingSecret .Values.web.tls.enabled }}
    - --web.config.file=/etc/oscar-metrics/web/web.yaml
    {{- end }}
    {{- if .Values.state.enabled }}
    - --state.dir=/var/lib/oscar-metrics
    {{- end }}
    - --log.format={{ .Values.log.format }}
    - --log.level={{ .Values.log.level }}
    {{- range .Values.extraArgs }}
    - {{ . | quote }}
    {{- end }}
  {{- if or .Values.hashKey.existingSecret .Values.secretEnv .Values.extraEnv }}
  env:
    {{- with .Values.hashKey }}
    {{- if .existingSecret }}
    - name: OSCAR_METRICS_HASH_KEY
      valueFrom:
        secretKeyRef:
          name: {{ .existingSecret }}
          key: {{ .key }}
    {{- end }}
    {{- end }}
    {{- range $name, $from := .Values.secretEnv }}
    - name: {{ $name }}
      valueFrom:
        secretKeyRef:
          name: {{ $from.secret }}
          key: {{ $from.key }}
          optional: {{ $from.optional | default false }}
    {{- end }}
    {{- with .Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  {{- with .Values.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.lifecycle }}
  lifecycle:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - name: otlp-grpc
      containerPort: 4317
      protocol: TCP
    - name: otlp-http
      containerPort: 4318
      protocol: TCP
    - name: oscar-metrics
      containerPort: 9464
      protocol: TCP
  startupProbe:
    {{- include "oscar-metrics.probe" (dict "root" . "path" "/-/ready" "times" .Values.startupProbe) | nindent 4 }}
  livenessProbe:
    {{- include "oscar-metrics.probe" (dict "root" . "path" "/-/healthy" "times" .Values.livenessProbe) | nindent 4 }}
  readinessProbe:
    {{- include "oscar-metrics.probe" (dict "root" . "path" "/-/ready" "times" .Values.readinessProbe) | nindent 4 }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.securityContext | nindent 4 }}
  volumeMounts:
    {{- include "oscar-metrics.volumeMounts" . | nindent 4 }}
{{- end }}

{{/* A kubelet has no client certificate: where one is asked for, it can only knock. */}}
{{- define "oscar-metrics.probe" -}}
{{- $web := .root.Values.web -}}
{{- if and $web.tls.enabled $web.tls.clientCASecret -}}
tcpSocket:
  port: oscar-metrics
{{- else -}}
httpGet:
  path: {{ .path }}
  port: oscar-metrics
  {{- if $web.tls.enabled }}
  scheme: HTTPS
  {{- end }}
{{- end }}
{{- with .times }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "oscar-metrics.volumeMounts" -}}
- name: config
  mountPath: /etc/oscar-metrics/config
  readOnly: true
{{- if or .Values.web.existingSecret .Values.web.tls.enabled }}
- name: web
  mountPath: /etc/oscar-metrics/web
  readOnly: true
{{- end }}
{{- if include "oscar-metrics.writesWebConfig" . }}
- name: tls
  mountPath: /etc/oscar-metrics/tls
  readOnly: true
{{- if .Values.web.tls.clientCASecret }}
- name: client-ca
  mountPath: /etc/oscar-metrics/client-ca
  readOnly: true
{{- end }}
{{- end }}
{{- if .Values.state.enabled }}
- name: state
  mountPath: /var/lib/oscar-metrics
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "oscar-metrics.volumes" -}}
- name: config
  configMap:
    name: {{ include "oscar-metrics.configMapName" . }}
{{- if .Values.web.existingSecret }}
- name: web
  secret:
    secretName: {{ .Values.web.existingSecret }}
{{- else if .Values.web.tls.enabled }}
- name: web
  configMap:
    name: {{ include "oscar-metrics.fullname" . }}
    items:
      - key: web.yaml
        path: web.yaml
{{- end }}
{{- if include "oscar-metrics.writesWebConfig" . }}
- name: tls
  secret:
    secretName: {{ .Values.web.tls.existingSecret }}
{{- with .Values.web.tls.clientCASecret }}
- name: client-ca
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
{{- if .Values.state.enabled }}
- name: state
  {{- if .Values.state.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ .Values.state.persistence.existingClaim | default (printf "%s-state" (include "oscar-metrics.fullname" .)) }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
