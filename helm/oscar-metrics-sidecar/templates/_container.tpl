{{/* The container, from the sidecar's values. */}}
{{- define "oscar-metrics-sidecar.container" -}}
- name: oscar-metrics
  image: {{ include "oscar-metrics-sidecar.image" .image | quote }}
  imagePullPolicy: {{ .image.pullPolicy }}
  {{- if .native }}
  restartPolicy: Always
  {{- end }}
  args:
    - serve
    - --config.file=/etc/oscar-metrics/config/oscar-metrics.yaml
    - --config.fallback
    - --otlp.grpc.listen-address=127.0.0.1:{{ .ports.grpc }}
    - --otlp.http.listen-address=127.0.0.1:{{ .ports.http }}
    - --web.listen-address=:{{ .ports.web }}
    {{- if .web.existingSecret }}
    - --web.config.file=/etc/oscar-metrics/web/web.yaml
    {{- end }}
    {{- if .state.enabled }}
    - --state.dir=/var/lib/oscar-metrics
    {{- end }}
    - --log.format={{ .log.format }}
    - --log.level={{ .log.level }}
    {{- range .extraArgs }}
    - {{ . | quote }}
    {{- end }}
  {{- if or .hashKey.existingSecret .secretEnv .extraEnv }}
  env:
    {{- with .hashKey }}
    {{- if .existingSecret }}
    - name: OSCAR_METRICS_HASH_KEY
      valueFrom:
        secretKeyRef:
          name: {{ .existingSecret }}
          key: {{ .key }}
          optional: true
    {{- end }}
    {{- end }}
    {{- range $name, $from := .secretEnv }}
    - name: {{ $name }}
      valueFrom:
        secretKeyRef:
          name: {{ $from.secret }}
          key: {{ $from.key }}
          optional: true
    {{- end }}
    {{- with .extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  ports:
    - name: oscar-metrics
      containerPort: {{ .ports.web }}
      protocol: TCP
  {{- range $probe := list "startupProbe" "livenessProbe" "readinessProbe" "lifecycle" }}
  {{- with index $ $probe }}
  {{ $probe }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  resources:
    {{- toYaml .resources | nindent 4 }}
  securityContext:
    {{- toYaml .securityContext | nindent 4 }}
  volumeMounts:
    - name: oscar-metrics-config
      mountPath: /etc/oscar-metrics/config
      readOnly: true
    {{- if .web.existingSecret }}
    - name: oscar-metrics-web
      mountPath: /etc/oscar-metrics/web
      readOnly: true
    {{- end }}
    {{- if .state.enabled }}
    - name: oscar-metrics-state
      mountPath: /var/lib/oscar-metrics
    {{- end }}
    {{- with .extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "oscar-metrics-sidecar.image" -}}
{{- if .registry }}{{ .registry }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}
