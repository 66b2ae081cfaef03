{{/* Names, labels and images: whatever more than one template says. */}}

{{- define "underwriter.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* A cluster-wide name: two releases in two namespaces may share their release name. */}}
{{- define "underwriter.clusterName" -}}
{{ include "underwriter.name" . }}-{{ .Release.Namespace }}
{{- end }}

{{- define "underwriter.selector" -}}
app.kubernetes.io/name: underwriter
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "underwriter.labels" -}}
{{ include "underwriter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Give it a list: the root and the name of the image. */}}
{{- define "underwriter.image" -}}
{{- $root := index . 0 }}{{ $image := index $root.Values.images (index . 1) }}
{{- if $image.digest }}{{ $image.repository }}@{{ $image.digest }}
{{- else }}{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* The operator as the API server knows it. */}}
{{- define "underwriter.user" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "underwriter.name" . }}
{{- end }}
