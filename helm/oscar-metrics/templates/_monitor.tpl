{{/* What a ServiceMonitor and a PodMonitor say alike: of the whole ... */}}
{{- define "oscar-metrics.monitorSpec" -}}
{{- with .jobLabel }}
jobLabel: {{ . }}
{{- end }}
{{- with .sampleLimit }}
sampleLimit: {{ int64 . }}
{{- end }}
{{- with .scrapeProtocols }}
scrapeProtocols:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if kindIs "bool" .scrapeNativeHistograms }}
scrapeNativeHistograms: {{ .scrapeNativeHistograms }}
{{- end }}
{{- if kindIs "bool" .scrapeClassicHistograms }}
scrapeClassicHistograms: {{ .scrapeClassicHistograms }}
{{- end }}
{{- end }}

{{/* ... and of an endpoint. */}}
{{- define "oscar-metrics.monitorEndpoint" -}}
{{- $monitor := .monitor }}
path: /metrics
interval: {{ $monitor.interval }}
scrapeTimeout: {{ $monitor.scrapeTimeout }}
honorLabels: {{ $monitor.honorLabels }}
{{- if or (and .root.Values.web.tls.enabled (not $monitor.selector)) $monitor.tlsConfig }}
scheme: https
{{- end }}
{{- with $monitor.tlsConfig }}
tlsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $monitor.basicAuth }}
basicAuth:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if or .root.Values.environment $monitor.relabelings }}
relabelings:
  {{- with .root.Values.environment }}
  - action: replace
    targetLabel: environment
    replacement: {{ . | quote }}
  {{- end }}
  {{- with $monitor.relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with $monitor.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
