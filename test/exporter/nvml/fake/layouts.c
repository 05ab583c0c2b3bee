/* What the compiler makes of the structures, as JSON, for comparison with the table of the product. */

#include <stddef.h>
#include <stdio.h>

#include "structs.h"

static char text[8192];
static size_t used;

#define PUT(...) used += (size_t)snprintf(text + used, sizeof text - used, __VA_ARGS__)
#define STRUCT(type) PUT("%s\"%s\":{\"size\":%zu,\"fields\":{", used > 1 ? "}}," : "", #type, sizeof(type)), isFirst = 1
#define FIELD(type, field) \
  PUT("%s\"%s\":[%zu,%zu]", isFirst ? "" : ",", #field, offsetof(type, field), sizeof(((type *)0)->field)), isFirst = 0

/* {"nvmlMemory_t":{"size":24,"fields":{"total":[0,8], …}}, …}: offset and size of each field. */
EXPORT const char *fakeLayouts(void) {
  int isFirst = 1;
  used = 0;
  PUT("{");
  STRUCT(nvmlPciInfo_t);
  FIELD(nvmlPciInfo_t, domain);
  FIELD(nvmlPciInfo_t, bus);
  FIELD(nvmlPciInfo_t, device);
  FIELD(nvmlPciInfo_t, busId);
  STRUCT(nvmlUtilization_t);
  FIELD(nvmlUtilization_t, gpu);
  FIELD(nvmlUtilization_t, memory);
  STRUCT(nvmlMemory_t);
  FIELD(nvmlMemory_t, total);
  FIELD(nvmlMemory_t, free);
  FIELD(nvmlMemory_t, used);
  STRUCT(nvmlMemory_v2_t);
  FIELD(nvmlMemory_v2_t, version);
  FIELD(nvmlMemory_v2_t, total);
  FIELD(nvmlMemory_v2_t, reserved);
  FIELD(nvmlMemory_v2_t, free);
  FIELD(nvmlMemory_v2_t, used);
  STRUCT(nvmlBAR1Memory_t);
  FIELD(nvmlBAR1Memory_t, bar1Total);
  FIELD(nvmlBAR1Memory_t, bar1Free);
  FIELD(nvmlBAR1Memory_t, bar1Used);
  STRUCT(nvmlTemperature_v1_t);
  FIELD(nvmlTemperature_v1_t, version);
  FIELD(nvmlTemperature_v1_t, sensorType);
  FIELD(nvmlTemperature_v1_t, temperature);
  STRUCT(nvmlFieldValue_t);
  FIELD(nvmlFieldValue_t, fieldId);
  FIELD(nvmlFieldValue_t, scopeId);
  FIELD(nvmlFieldValue_t, timestamp);
  FIELD(nvmlFieldValue_t, latencyUsec);
  FIELD(nvmlFieldValue_t, valueType);
  FIELD(nvmlFieldValue_t, nvmlReturn);
  FIELD(nvmlFieldValue_t, value);
  STRUCT(nvmlProcessInfo_t);
  FIELD(nvmlProcessInfo_t, pid);
  FIELD(nvmlProcessInfo_t, usedGpuMemory);
  FIELD(nvmlProcessInfo_t, gpuInstanceId);
  FIELD(nvmlProcessInfo_t, computeInstanceId);
  STRUCT(nvmlDeviceAttributes_t);
  FIELD(nvmlDeviceAttributes_t, multiprocessorCount);
  FIELD(nvmlDeviceAttributes_t, gpuInstanceSliceCount);
  FIELD(nvmlDeviceAttributes_t, computeInstanceSliceCount);
  FIELD(nvmlDeviceAttributes_t, memorySizeMB);
  STRUCT(nvmlGridLicensableFeature_t);
  FIELD(nvmlGridLicensableFeature_t, featureCode);
  FIELD(nvmlGridLicensableFeature_t, featureState);
  STRUCT(nvmlGridLicensableFeatures_t);
  FIELD(nvmlGridLicensableFeatures_t, isGridLicenseSupported);
  FIELD(nvmlGridLicensableFeatures_t, licensableFeaturesCount);
  FIELD(nvmlGridLicensableFeatures_t, gridLicensableFeatures);
  STRUCT(nvmlGpuFabricInfo_t);
  FIELD(nvmlGpuFabricInfo_t, status);
  FIELD(nvmlGpuFabricInfo_t, state);
  STRUCT(nvmlGpuFabricInfo_v2_t);
  FIELD(nvmlGpuFabricInfo_v2_t, version);
  FIELD(nvmlGpuFabricInfo_v2_t, status);
  FIELD(nvmlGpuFabricInfo_v2_t, state);
  STRUCT(nvmlGpmMetric_t);
  FIELD(nvmlGpmMetric_t, metricId);
  FIELD(nvmlGpmMetric_t, nvmlReturn);
  FIELD(nvmlGpmMetric_t, value);
  STRUCT(nvmlGpmMetricsGet_t);
  FIELD(nvmlGpmMetricsGet_t, version);
  FIELD(nvmlGpmMetricsGet_t, numMetrics);
  FIELD(nvmlGpmMetricsGet_t, sample1);
  FIELD(nvmlGpmMetricsGet_t, sample2);
  FIELD(nvmlGpmMetricsGet_t, metrics);
  STRUCT(nvmlGpmSupport_t);
  FIELD(nvmlGpmSupport_t, version);
  FIELD(nvmlGpmSupport_t, isSupportedDevice);
  STRUCT(nvmlEventData_t);
  FIELD(nvmlEventData_t, device);
  FIELD(nvmlEventData_t, eventType);
  FIELD(nvmlEventData_t, eventData);
  FIELD(nvmlEventData_t, gpuInstanceId);
  FIELD(nvmlEventData_t, computeInstanceId);
  PUT("}}}");
  return text;
}
