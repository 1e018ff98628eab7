{{/* At most 63 with its suffix. */}}
{{- define "oscar-metrics-sidecar.configMapName" -}}
{{- $values := index .Values "oscar-metrics-sidecar" }}
{{- $values.existingConfigMap | default (printf "%s-oscar-metrics" (contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) | trunc 49 | trimSuffix "-")) }}
{{- end }}

{{- define "oscar-metrics-sidecar.configText" -}}
{{- $values := index .Values "oscar-metrics-sidecar" }}
{{- if $values.configText }}
{{- $values.configText }}
{{- else }}
{{- include "oscar-metrics-sidecar.refuseUnordered" (dict "at" "oscar-metrics-sidecar.config" "node" $values.config) }}
{{- toYaml $values.config }}
{{- end }}
{{- end }}

{{/*
The rows of a `map` hold in written order and Helm sorts keys: where more than one row is a pattern, another row may win than the
one that was meant. Better no release than other numbers.
*/}}
{{- define "oscar-metrics-sidecar.refuseUnordered" -}}
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
{{- include "oscar-metrics-sidecar.refuseUnordered" (dict "at" $here "node" $value) }}
{{- end }}
{{- else if kindIs "slice" .node }}
{{- range $index, $value := .node }}
{{- include "oscar-metrics-sidecar.refuseUnordered" (dict "at" (printf "%s[%d]" $at $index) "node" $value) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The objects beside the bot: the ConfigMap. Include it in a file of its own. */}}
{{- define "oscar-metrics-sidecar.objects" -}}
{{- $values := index .Values "oscar-metrics-sidecar" }}
{{- if and $values.enabled (not $values.existingConfigMap) -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "oscar-metrics-sidecar.configMapName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    app.kubernetes.io/name: oscar-metrics-sidecar
    app.kubernetes.io/instance: {{ .Release.Name }}
    app.kubernetes.io/part-of: oscar-metrics
    app.kubernetes.io/managed-by: {{ .Release.Service }}
data:
  oscar-metrics.yaml: |
    {{- include "oscar-metrics-sidecar.configText" . | nindent 4 }}
  {{- range $name, $text := $values.configFiles }}
  {{ $name }}: |
    {{- $text | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
