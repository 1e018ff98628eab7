{{/* Labels for the bot's pod template: by them a PodMonitor finds it. */}}
{{- define "oscar-metrics-sidecar.podLabels" -}}
{{- $values := index .Values "oscar-metrics-sidecar" }}
{{- if $values.enabled -}}
oscar-metrics/sidecar: "true"
{{- end }}
{{- end }}

{{/* Annotations for the bot's pod template. */}}
{{- define "oscar-metrics-sidecar.podAnnotations" -}}
{{- $values := index .Values "oscar-metrics-sidecar" }}
{{- if and $values.enabled $values.restartOnConfigChange -}}
checksum/oscar-metrics: {{ include "oscar-metrics-sidecar.objects" . | sha256sum }}
{{- end }}
{{- end }}

{{/* Under `initContainers`, first. */}}
{{- define "oscar-metrics-sidecar.initContainers" -}}
{{- $values := index .Values "oscar-metrics-sidecar" }}
{{- if and $values.enabled $values.native -}}
{{- include "oscar-metrics-sidecar.container" $values }}
{{- end }}
{{- end }}

{{/* Under `containers`, last; empty for a native sidecar. */}}
{{- define "oscar-metrics-sidecar.containers" -}}
{{- $values := index .Values "oscar-metrics-sidecar" }}
{{- if and $values.enabled (not $values.native) -}}
{{- include "oscar-metrics-sidecar.container" $values }}
{{- end }}
{{- end }}

{{/* Under the bot container's `env`: where its SDK sends. */}}
{{- define "oscar-metrics-sidecar.botEnv" -}}
{{- $values := index .Values "oscar-metrics-sidecar" }}
{{- if $values.enabled -}}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: http://127.0.0.1:{{ $values.ports.grpc }}
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: grpc
{{- end }}
{{- end }}

{{/*
Under `volumes`. What is missing is left out and told in the log, and no bot waits for it. No `sizeLimit`: over it a kubelet would
evict the whole pod.
*/}}
{{- define "oscar-metrics-sidecar.volumes" -}}
{{- $values := index .Values "oscar-metrics-sidecar" }}
{{- if $values.enabled -}}
- name: oscar-metrics-config
  configMap:
    name: {{ include "oscar-metrics-sidecar.configMapName" . }}
    optional: true
{{- with $values.web.existingSecret }}
- name: oscar-metrics-web
  secret:
    secretName: {{ . }}
    optional: true
{{- end }}
{{- if $values.state.enabled }}
- name: oscar-metrics-state
  emptyDir: {}
{{- end }}
{{- with $values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}
