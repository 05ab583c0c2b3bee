/* The structures of NVML's ABI, laid out by the compiler. */

#ifndef STRUCTS_H
#define STRUCTS_H

#define EXPORT __attribute__((visibility("default")))
#define VERSIONED(type, version) ((unsigned)(sizeof(type) | ((unsigned)(version) << 24)))

typedef int Code;
typedef struct Device *DeviceHandle;
typedef struct EventSet *EventSetHandle;
typedef struct GpmSample *SampleHandle;

typedef struct {
  char busIdLegacy[16];
  unsigned domain, bus, device, pciDeviceId, pciSubSystemId;
  char busId[32];
} nvmlPciInfo_t;

typedef struct {
  unsigned gpu, memory;
} nvmlUtilization_t;

typedef struct {
  unsigned long long total, free, used;
} nvmlMemory_t;

typedef struct {
  unsigned version;
  unsigned long long total, reserved, free, used;
} nvmlMemory_v2_t;

typedef struct {
  unsigned long long bar1Total, bar1Free, bar1Used;
} nvmlBAR1Memory_t;

typedef struct {
  unsigned version;
  unsigned sensorType;
  int temperature;
} nvmlTemperature_v1_t;

typedef union {
  double dVal;
  int siVal;
  unsigned uiVal;
  unsigned long ulVal;
  unsigned long long ullVal;
  long long sllVal;
  unsigned short usVal;
} FieldUnion;

typedef struct {
  unsigned fieldId, scopeId;
  long long timestamp, latencyUsec;
  unsigned valueType;
  Code nvmlReturn;
  FieldUnion value;
} nvmlFieldValue_t;

typedef struct {
  unsigned pid;
  unsigned long long usedGpuMemory;
  unsigned gpuInstanceId, computeInstanceId;
} nvmlProcessInfo_t;

typedef struct {
  unsigned multiprocessorCount, sharedCopyEngineCount, sharedDecoderCount, sharedEncoderCount, sharedJpegCount,
      sharedOfaCount, gpuInstanceSliceCount, computeInstanceSliceCount;
  unsigned long long memorySizeMB;
} nvmlDeviceAttributes_t;

typedef struct {
  unsigned year;
  unsigned short month, day, hour, min, sec;
  unsigned char status;
} LicenceExpiry;

typedef struct {
  unsigned featureCode, featureState;
  char licenseInfo[128], productName[128];
  unsigned featureEnabled;
  LicenceExpiry licenseExpiry;
} nvmlGridLicensableFeature_t;

typedef struct {
  int isGridLicenseSupported;
  unsigned licensableFeaturesCount;
  nvmlGridLicensableFeature_t gridLicensableFeatures[3];
} nvmlGridLicensableFeatures_t;

typedef struct {
  unsigned char clusterUuid[16];
  Code status;
  unsigned cliqueId;
  unsigned char state;
} nvmlGpuFabricInfo_t;

typedef struct {
  unsigned version;
  unsigned char clusterUuid[16];
  Code status;
  unsigned cliqueId;
  unsigned char state;
  unsigned healthMask;
} nvmlGpuFabricInfo_v2_t;

typedef struct {
  unsigned metricId;
  Code nvmlReturn;
  double value;
  struct {
    char *shortName, *longName, *unit;
  } metricInfo;
} nvmlGpmMetric_t;

typedef struct {
  unsigned version, numMetrics;
  SampleHandle sample1, sample2;
  nvmlGpmMetric_t metrics[333];
} nvmlGpmMetricsGet_t;

typedef struct {
  unsigned version, isSupportedDevice;
} nvmlGpmSupport_t;

typedef struct {
  DeviceHandle device;
  unsigned long long eventType, eventData;
  unsigned gpuInstanceId, computeInstanceId;
} nvmlEventData_t;

#endif
