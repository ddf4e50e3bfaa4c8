{{- define "skerry.name" -}}
{{- if contains "skerry" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-skerry" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "skerry.selector" -}}
app.kubernetes.io/name: skerry
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "skerry.labels" -}}
{{ include "skerry.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "skerry.claim" -}}
{{ .Values.data.existingClaim | default (include "skerry.name" .) }}
{{- end }}

{{- define "skerry.url" -}}
{{- $scheme := ternary "http" "https" (eq .Values.api.tls "none") -}}
{{ .Values.publicUrl | default (printf "%s://%s-api.%s.svc:%v" $scheme (include "skerry.name" .) .Release.Namespace .Values.api.port) }}
{{- end }}

{{/* What all nodes are told. */}}
{{- define "skerry.args" -}}
- serve
- --name=$(POD_NAME)
- --data=/data
- {{ printf "--operator=%s" .Values.operator | quote }}
- {{ printf "--region=%s" .Values.region | quote }}
- {{ printf "--public-url=%s" (include "skerry.url" .) | quote }}
{{- end }}

{{/* A pod of one role: (dict "root" $ "role" NAME "values" VALUES "args" "ports" "probe" "mounts" "volumes"). */}}
{{- define "skerry.pod" -}}
{{- $root := .root -}}
metadata:
  labels:
    {{- include "skerry.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
    {{- with $root.Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with $root.Values.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "skerry.name" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 60
  securityContext:
    runAsNonRoot: true
    runAsUser: {{ $root.Values.user }}
    runAsGroup: {{ $root.Values.user }}
    fsGroup: {{ $root.Values.user }}
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "skerry.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ .role }}
  containers:
    - name: skerry
      image: "{{ $root.Values.image.repository }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}"
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: [/opt/skerry/bin/skerry]
      args:
        {{- include "skerry.args" $root | nindent 8 }}
        - --role={{ .role }}
        {{- range .args }}
        - {{ . | quote }}
        {{- end }}
        {{- range .values.extraArgs }}
        - {{ . | quote }}
        {{- end }}
      env:
        - name: POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        - name: POD_IP
          valueFrom: {fieldRef: {fieldPath: status.podIP}}
        - name: DATABASE_URL
          valueFrom:
            secretKeyRef: {name: {{ $root.Values.database.secret | quote }}, key: {{ $root.Values.database.key | quote }}}
        - {name: HOME, value: /tmp}
        - {name: SKERRY_NO_CONTEXT, value: "1"}
      ports:
        {{- toYaml .ports | nindent 8 }}
      startupProbe:
        {{- toYaml .ready | nindent 8 }}
        periodSeconds: 2
        failureThreshold: 150
      readinessProbe:
        {{- toYaml .ready | nindent 8 }}
        timeoutSeconds: 10
      livenessProbe:
        {{- toYaml .alive | nindent 8 }}
        timeoutSeconds: 10
        failureThreshold: 6
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      resources: {{- toYaml .values.resources | nindent 8 }}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: tmp, mountPath: /tmp}
        {{- if .secret }}
        - {name: tls, mountPath: /tls, readOnly: true}
        {{- end }}
  volumes:
    - name: data
      persistentVolumeClaim: {claimName: {{ include "skerry.claim" $root }}}
    - name: tmp
      emptyDir: {sizeLimit: 1Gi}
    {{- with .secret }}
    - name: tls
      secret: {secretName: {{ . | quote }}}
    {{- end }}
{{- end }}

{{/* At most one of a role's pods is taken away at a time. */}}
{{- define "skerry.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "skerry.name" .root }}-{{ .role }}
  labels: {{- include "skerry.labels" .root | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "skerry.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "skerry.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "skerry.name" .root }}-{{ .role }}
  labels: {{- include "skerry.labels" .root | nindent 4 }}
  {{- with .values.service.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .values.service.type }}
  selector:
    {{- include "skerry.selector" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
  ports:
    - {name: {{ .port }}, port: {{ .number }}, targetPort: {{ .port }}}
{{- end }}
