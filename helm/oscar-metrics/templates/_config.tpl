{{- define "oscar-metrics.configMapName" -}}
{{- .Values.existingConfigMap | default (include "oscar-metrics.fullname" .) }}
{{- end }}

{{- define "oscar-metrics.configText" -}}
{{- if .Values.configText }}
{{- .Values.configText }}
{{- else }}
{{- include "oscar-metrics.refuseUnordered" (dict "at" "config" "node" .Values.config) }}
{{- toYaml .Values.config }}
{{- end }}
{{- end }}

{{/*
The rows of a `map` hold in written order and Helm sorts keys: where more than one row is a pattern, another row may win than the
one that was meant. Better no release than other numbers.
*/}}
{{- define "oscar-metrics.refuseUnordered" -}}
{{- $at := .at }}
{{- if kindIs "map" .node }}
{{- range $key, $value := .node }}
{{- $here := printf "%s.%s" $at $key }}
{{- if and (eq $key "map") (kindIs "map" $value) }}
{{- $patterns := list }}
{{- range $row, $_ := $value }}
{{- if or (contains "*" $row) (and (hasPrefix "/" $row) (hasSuffix "/" $row)) }}
{{- $patterns = append $patterns $row }}
{{- end }}
{{- end }}
{{- if gt (len $patterns) 1 }}
{{- fail (printf "%s has several patterns (%s): the first that fits wins, and Helm sorts keys. Give the config as text: `configText: |`" $here (join ", " $patterns)) }}
{{- end }}
{{- end }}
{{- include "oscar-metrics.refuseUnordered" (dict "at" $here "node" $value) }}
{{- end }}
{{- else if kindIs "slice" .node }}
{{- range $index, $value := .node }}
{{- include "oscar-metrics.refuseUnordered" (dict "at" (printf "%s[%d]" $at $index) "node" $value) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Whether the web config is ours to write. */}}
{{- define "oscar-metrics.writesWebConfig" -}}
{{- if and .Values.web.tls.enabled (not .Values.web.existingSecret) }}yes{{ end }}
{{- end }}

{{/* The web config that `web.tls` asks for. */}}
{{- define "oscar-metrics.webConfig" -}}
tls_server_config:
  cert_file: /etc/oscar-metrics/tls/tls.crt
  key_file: /etc/oscar-metrics/tls/tls.key
{{- if .Values.web.tls.clientCASecret }}
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: /etc/oscar-metrics/client-ca/ca.crt
{{- end }}
{{- end }}

{{/* What can't be meant is said here, once. */}}
{{- define "oscar-metrics.refuse" -}}
{{- with .Values }}
{{- if and .web.existingSecret (or .web.tls.existingSecret .web.tls.clientCASecret) }}
{{- fail "web.existingSecret says everything about the web port: leave the Secrets of web.tls out, and name their files in its web.yaml" }}
{{- end }}
{{- if and .web.tls.enabled (not .web.existingSecret) (not .web.tls.existingSecret) }}
{{- fail "web.tls.enabled needs web.tls.existingSecret, a Secret of type kubernetes.io/tls" }}
{{- end }}
{{- if and .state.persistence.enabled (not .state.enabled) }}
{{- fail "state.persistence.enabled needs state.enabled" }}
{{- end }}
{{- if and .state.persistence.enabled (gt (int .replicaCount) 1) }}
{{- fail (printf "state.persistence is one claim with one owner: replicaCount must be 1, not %d" (int .replicaCount)) }}
{{- end }}
{{- if and .gateway.enabled .serviceMonitor.enabled .podMonitor.enabled (not .podMonitor.selector) }}
{{- fail "serviceMonitor and podMonitor would both scrape the gateway: turn one off, or say podMonitor.selector" }}
{{- end }}
{{- if and .dashboards.grafanaOperator.enabled (not .dashboards.enabled) }}
{{- fail "dashboards.grafanaOperator.enabled needs dashboards.enabled: it reads the ConfigMaps" }}
{{- end }}
{{- end }}
{{- end }}
