{{- define "oscar-metrics.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 52, so that the longest suffix still fits into 63. */}}
{{- define "oscar-metrics.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := include "oscar-metrics.name" . }}
{{- (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "oscar-metrics.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "oscar-metrics.selectorLabels" -}}
app.kubernetes.io/name: {{ include "oscar-metrics.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "oscar-metrics.labels" -}}
{{- include "oscar-metrics.labelsWith" (dict "root" . "labels" dict) }}
{{- end }}

{{/* Our labels and those that an object is found by. What the Service and the monitors select by can't be replaced. */}}
{{- define "oscar-metrics.labelsWith" -}}
{{- $root := .root }}
{{- $ours := dict
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" $root.Chart.AppVersion
  "app.kubernetes.io/part-of" "oscar-metrics"
  "app.kubernetes.io/managed-by" $root.Release.Service
}}
{{- toYaml (mergeOverwrite $ours $root.Values.commonLabels .labels (include "oscar-metrics.selectorLabels" $root | fromYaml)) }}
{{- end }}

{{- define "oscar-metrics.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "oscar-metrics.fullname" .) "default") }}
{{- end }}

{{- define "oscar-metrics.image" -}}
{{- with .Values.image }}
{{- if .registry }}{{ .registry }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The name of an object made from a file. */}}
{{- define "oscar-metrics.fileName" -}}
{{- printf "%s-%s" (include "oscar-metrics.fullname" .root) (base .path | trimSuffix (ext .path) | lower | replace "_" "-" | replace "." "-") | trunc 63 | trimSuffix "-" }}
{{- end }}
