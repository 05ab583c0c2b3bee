/*
 * An imitation of libnvidia-ml.so.1 for tests: the ABI of NVML, answering from a scenario file: FAKE_NVML_SCENARIO, or else the
 * file `scenario` beside the library.
 *
 *   set TARGET KEY VALUE            a value of a card ("0"), of a MIG device ("0/3"), of the "driver", or of all ("*");
 *                                   VALUE "!15" answers with that code instead; no value at all answers NOT_SUPPORTED
 *   set driver slot.2 5             index 2 is card "5"; without it, index 2 is card "2"
 *   fail FUNCTION TARGET CODE       each may be "*"
 *   hang FUNCTION TARGET            until the line is gone
 *   slow FUNCTION TARGET MS
 *   expire CODE N                   every call answers CODE until the library has been initialised N times
 *   process TARGET KIND PID BYTES   KIND is compute, mps or graphics; BYTES may be "na"
 *   event SERIAL TARGET TYPE DATA   raised once, in an event set that was made before the line appeared
 *   log PATH                        appends "FUNCTION TARGET" for every call
 *
 * Compile with -DOLD_DRIVER to leave out the symbols that came with later drivers.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "scenario.h"
#include "structs.h"

enum {
  SUCCESS = 0,
  UNINITIALIZED = 1,
  INVALID_ARGUMENT = 2,
  NOT_SUPPORTED = 3,
  NOT_FOUND = 6,
  INSUFFICIENT_SIZE = 7,
  TIMEOUT = 10,
  VERSION_MISMATCH = 25
};

#define MAX_DEVICES 256

struct Device {
  char target[32];
};

static struct Device devices[MAX_DEVICES];
static int initialisations = 0, references = 0;
static unsigned long long countAtInit = 0;
static int liveSamples = 0;

static void sleepMs(int ms) {
  struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&time, NULL);
}

static DeviceHandle deviceOf(const char *target) {
  for (int i = 0; i < MAX_DEVICES; i++) {
    if (devices[i].target[0] == '\0') snprintf(devices[i].target, sizeof devices[i].target, "%s", target);
    if (strcmp(devices[i].target, target) == 0) return &devices[i];
  }
  return NULL;
}

static int isDevice(DeviceHandle device) {
  return device >= devices && device < devices + MAX_DEVICES && device->target[0] != '\0';
}

/* ---- what a call runs into before it answers ---- */

typedef struct {
  const char *verb, *function, *target;
} Call;

static int matches(const char *pattern, const char *text) {
  return strcmp(pattern, "*") == 0 || strcmp(pattern, text) == 0;
}

static int concerns(const Row *row, const void *context) {
  const Call *call = context;
  return row->count >= 3 && strcmp(row->words[0], call->verb) == 0 && matches(row->words[1], call->function) &&
         matches(row->words[2], call->target);
}

static int isVerb(const Row *row, const void *verb) {
  return strcmp(row->words[0], verb) == 0;
}

static void writeLog(const char *function, const char *target) {
  Row row;
  if (!findRow(isVerb, "log", &row) || row.count < 2) return;
  int file = open(row.words[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  dprintf(file, "%s %s\n", function, target);
  close(file);
}

static Code enter(const char *function, const char *target) {
  Row row;
  Call slow = {"slow", function, target}, hang = {"hang", function, target}, fail = {"fail", function, target};
  writeLog(function, target);
  if (findRow(concerns, &slow, &row)) sleepMs(atoi(row.words[3]));
  while (findRow(concerns, &hang, &row)) sleepMs(5);
  if (findRow(concerns, &fail, &row)) return atoi(row.words[3]);
  if (strcmp(function, "nvmlInit_v2") == 0) return SUCCESS;
  if (references == 0) return UNINITIALIZED;
  if (findRow(isVerb, "expire", &row) && initialisations < atoi(row.words[2])) return atoi(row.words[1]);
  return SUCCESS;
}

#define ENTER(target)                        \
  do {                                       \
    Code entered = enter(__func__, target);  \
    if (entered != SUCCESS) return entered;  \
  } while (0)

#define ENTER_DEVICE(device)                            \
  do {                                                  \
    if (!isDevice(device)) return INVALID_ARGUMENT;     \
    ENTER((device)->target);                            \
  } while (0)

/* ---- values of the scenario ---- */

static Code wordOf(const char *target, const char *key, char *word) {
  if (!findValue(target, key, word)) return NOT_SUPPORTED;
  return word[0] == '!' ? atoi(word + 1) : SUCCESS;
}

static Code numberOf(const char *target, const char *key, unsigned long long *number) {
  char word[WORD_LENGTH];
  Code code = wordOf(target, key, word);
  if (code == SUCCESS) *number = strtoull(word, NULL, 0);
  return code;
}

static Code uintOf(const char *target, const char *key, unsigned *value) {
  unsigned long long number;
  Code code = numberOf(target, key, &number);
  if (code == SUCCESS) *value = (unsigned)number;
  return code;
}

static const char *keyAt(const char *key, unsigned which) {
  static __thread char joined[64];
  snprintf(joined, sizeof joined, "%s.%u", key, which);
  return joined;
}

/* Underscores stand for blanks; what lies behind the terminator is rubbish, as it is with real drivers. */
static Code textOf(const char *target, const char *key, char *text, unsigned length) {
  char word[WORD_LENGTH];
  Code code = wordOf(target, key, word);
  if (code != SUCCESS) return code;
  if (strcmp(word, "-") == 0) word[0] = '\0';
  if (strlen(word) + 1 > length) return INSUFFICIENT_SIZE;
  memset(text, 'x', length);
  for (char *c = word; *c != '\0'; c++)
    if (*c == '_') *c = ' ';
  strcpy(text, word);
  return SUCCESS;
}

#define UINT(name, key)                                        \
  EXPORT Code name(DeviceHandle device, unsigned *value) {     \
    ENTER_DEVICE(device);                                      \
    return uintOf(device->target, key, value);                 \
  }

#define UINT_AT(name, key)                                                     \
  EXPORT Code name(DeviceHandle device, unsigned which, unsigned *value) {     \
    ENTER_DEVICE(device);                                                      \
    return uintOf(device->target, keyAt(key, which), value);                   \
  }

#define ULONG(name, key)                                                 \
  EXPORT Code name(DeviceHandle device, unsigned long long *value) {     \
    ENTER_DEVICE(device);                                                \
    return numberOf(device->target, key, value);                         \
  }

#define TEXT(name, key)                                                    \
  EXPORT Code name(DeviceHandle device, char *text, unsigned length) {     \
    ENTER_DEVICE(device);                                                  \
    return textOf(device->target, key, text, length);                      \
  }

#define UINT_PAIR(name, first, second)                                          \
  EXPORT Code name(DeviceHandle device, unsigned *one, unsigned *other) {       \
    ENTER_DEVICE(device);                                                       \
    Code code = uintOf(device->target, first, one);                             \
    return code == SUCCESS ? uintOf(device->target, second, other) : code;      \
  }

/* ---- the driver ---- */

EXPORT Code nvmlInit_v2(void) {
  ENTER("driver");
  initialisations++;
  references++;
  if (references == 1 && numberOf("driver", "gpus", &countAtInit) != SUCCESS) countAtInit = 0;
  return SUCCESS;
}

EXPORT Code nvmlShutdown(void) {
  ENTER("driver");
  references--;
  return SUCCESS;
}

EXPORT Code nvmlSystemGetDriverVersion(char *text, unsigned length) {
  ENTER("driver");
  return textOf("driver", "driver-version", text, length);
}

EXPORT Code nvmlSystemGetNVMLVersion(char *text, unsigned length) {
  ENTER("driver");
  return textOf("driver", "nvml-version", text, length);
}

static unsigned countOf(void) {
  unsigned long long count = 0, isFrozen = 0;
  numberOf("driver", "frozen", &isFrozen);
  if (isFrozen || numberOf("driver", "gpus", &count) != SUCCESS) return (unsigned)countAtInit;
  return (unsigned)count;
}

EXPORT Code nvmlDeviceGetCount_v2(unsigned *count) {
  ENTER("driver");
  *count = countOf();
  return SUCCESS;
}

EXPORT Code nvmlDeviceGetHandleByIndex_v2(unsigned index, DeviceHandle *device) {
  char target[WORD_LENGTH];
  if (!findValue("driver", keyAt("slot", index), target)) snprintf(target, sizeof target, "%u", index);
  ENTER(target);
  if (index >= countOf()) return INVALID_ARGUMENT;
  *device = deviceOf(target);
  return SUCCESS;
}

/* ---- who a GPU is ---- */

TEXT(nvmlDeviceGetUUID, "uuid")
TEXT(nvmlDeviceGetName, "name")
TEXT(nvmlDeviceGetSerial, "serial")
TEXT(nvmlDeviceGetVbiosVersion, "vbios")
TEXT(nvmlDeviceGetInforomImageVersion, "inforom")
UINT(nvmlDeviceGetMinorNumber, "minor")
UINT(nvmlDeviceGetBrand, "brand")

EXPORT Code nvmlDeviceGetInforomVersion(DeviceHandle device, unsigned object, char *text, unsigned length) {
  ENTER_DEVICE(device);
  return textOf(device->target, keyAt("inforom", object), text, length);
}

EXPORT Code nvmlDeviceGetPciInfo_v3(DeviceHandle device, nvmlPciInfo_t *pci) {
  ENTER_DEVICE(device);
  memset(pci, 0, sizeof *pci);
  Code code = textOf(device->target, "pci.busId", pci->busId, sizeof pci->busId);
  uintOf(device->target, "pci.domain", &pci->domain);
  uintOf(device->target, "pci.bus", &pci->bus);
  uintOf(device->target, "pci.device", &pci->device);
  return code;
}

/* ---- readings ---- */

UINT_AT(nvmlDeviceGetClockInfo, "clock")
UINT_AT(nvmlDeviceGetMaxClockInfo, "maxClock")
ULONG(nvmlDeviceGetCurrentClocksThrottleReasons, "throttleReasons")
UINT_AT(nvmlDeviceGetTemperature, "temperature")
UINT_AT(nvmlDeviceGetTemperatureThreshold, "threshold")
UINT(nvmlDeviceGetFanSpeed, "fan")
UINT(nvmlDeviceGetPowerUsage, "power")
UINT(nvmlDeviceGetPowerManagementLimit, "powerLimit")
UINT(nvmlDeviceGetEnforcedPowerLimit, "enforcedPowerLimit")
UINT(nvmlDeviceGetPowerManagementDefaultLimit, "defaultPowerLimit")
UINT_PAIR(nvmlDeviceGetPowerManagementLimitConstraints, "minPowerLimit", "maxPowerLimit")
ULONG(nvmlDeviceGetTotalEnergyConsumption, "energy")
UINT_PAIR(nvmlDeviceGetEncoderUtilization, "encoder", "encoderPeriod")
UINT_PAIR(nvmlDeviceGetDecoderUtilization, "decoder", "decoderPeriod")
UINT(nvmlDeviceGetPcieReplayCounter, "pcieReplays")
UINT(nvmlDeviceGetCurrPcieLinkGeneration, "pcieGeneration")
UINT(nvmlDeviceGetCurrPcieLinkWidth, "pcieWidth")
UINT(nvmlDeviceGetMaxPcieLinkGeneration, "maxPcieGeneration")
UINT(nvmlDeviceGetMaxPcieLinkWidth, "maxPcieWidth")
UINT(nvmlDeviceGetPerformanceState, "performanceState")
UINT(nvmlDeviceGetPersistenceMode, "persistence")
UINT(nvmlDeviceGetComputeMode, "computeMode")
UINT_PAIR(nvmlDeviceGetEccMode, "ecc", "eccPending")
UINT_PAIR(nvmlDeviceGetMigMode, "mig", "migPending")

EXPORT Code nvmlDeviceGetUtilizationRates(DeviceHandle device, nvmlUtilization_t *rates) {
  ENTER_DEVICE(device);
  Code code = uintOf(device->target, "util.gpu", &rates->gpu);
  return code == SUCCESS ? uintOf(device->target, "util.memory", &rates->memory) : code;
}

EXPORT Code nvmlDeviceGetMemoryInfo(DeviceHandle device, nvmlMemory_t *memory) {
  ENTER_DEVICE(device);
  Code code = numberOf(device->target, "memory.total", &memory->total);
  if (code == SUCCESS) code = numberOf(device->target, "memory.free", &memory->free);
  return code == SUCCESS ? numberOf(device->target, "memory.used", &memory->used) : code;
}

EXPORT Code nvmlDeviceGetBAR1MemoryInfo(DeviceHandle device, nvmlBAR1Memory_t *memory) {
  ENTER_DEVICE(device);
  Code code = numberOf(device->target, "bar1.total", &memory->bar1Total);
  if (code == SUCCESS) code = numberOf(device->target, "bar1.free", &memory->bar1Free);
  return code == SUCCESS ? numberOf(device->target, "bar1.used", &memory->bar1Used) : code;
}

EXPORT Code nvmlDeviceGetRemappedRows(DeviceHandle device, unsigned *correctable, unsigned *uncorrectable,
                                      unsigned *isPending, unsigned *hasFailed) {
  ENTER_DEVICE(device);
  Code code = uintOf(device->target, "remapped.correctable", correctable);
  if (code == SUCCESS) code = uintOf(device->target, "remapped.uncorrectable", uncorrectable);
  if (code == SUCCESS) code = uintOf(device->target, "remapped.pending", isPending);
  return code == SUCCESS ? uintOf(device->target, "remapped.failed", hasFailed) : code;
}

EXPORT Code nvmlDeviceGetGridLicensableFeatures_v4(DeviceHandle device, nvmlGridLicensableFeatures_t *features) {
  ENTER_DEVICE(device);
  unsigned isSupported = 0;
  Code code = uintOf(device->target, "licence.supported", &isSupported);
  if (code != SUCCESS) return code;
  memset(features, 0, sizeof *features);
  features->isGridLicenseSupported = (int)isSupported;
  uintOf(device->target, "licence.count", &features->licensableFeaturesCount);
  for (unsigned i = 0; i < 3; i++) {
    uintOf(device->target, keyAt("licence.code", i), &features->gridLicensableFeatures[i].featureCode);
    uintOf(device->target, keyAt("licence.state", i), &features->gridLicensableFeatures[i].featureState);
  }
  return SUCCESS;
}

/* The value is TYPE:NUMBER, the type being that of nvmlValueType_t; a scope other than 0 is part of the key. */
static Code readField(const char *target, nvmlFieldValue_t *field) {
  char word[WORD_LENGTH], key[64];
  if (field->scopeId == 0) snprintf(key, sizeof key, "field.%u", field->fieldId);
  else snprintf(key, sizeof key, "field.%u.%u", field->fieldId, field->scopeId);
  Code code = wordOf(target, key, word);
  if (code != SUCCESS) return code;
  const char *number = strchr(word, ':') + 1;
  field->valueType = (unsigned)atoi(word);
  switch (field->valueType) {
    case 0: field->value.dVal = strtod(number, NULL); break;
    case 1: field->value.uiVal = (unsigned)strtoul(number, NULL, 0); break;
    case 2: field->value.ulVal = strtoul(number, NULL, 0); break;
    case 3: field->value.ullVal = strtoull(number, NULL, 0); break;
    case 4: field->value.sllVal = strtoll(number, NULL, 0); break;
    case 5: field->value.siVal = (int)strtol(number, NULL, 0); break;
    case 6: field->value.usVal = (unsigned short)strtoul(number, NULL, 0); break;
    /* Wrongly marked as a double, as some drivers do: only 32 bits are written. */
    case 7: field->valueType = 0, field->value.uiVal = (unsigned)strtoul(number, NULL, 0); break;
  }
  return SUCCESS;
}

EXPORT Code nvmlDeviceGetFieldValues(DeviceHandle device, int count, nvmlFieldValue_t *fields) {
  ENTER_DEVICE(device);
  unsigned long long timestamp = 0;
  numberOf(device->target, "timestamp", &timestamp);
  for (int i = 0; i < count; i++) {
    /* Rubbish that nobody may read while the code of the value is not 0. */
    memset(&fields[i].value, 0xab, sizeof fields[i].value);
    fields[i].timestamp = (long long)timestamp;
    fields[i].nvmlReturn = readField(device->target, &fields[i]);
  }
  return SUCCESS;
}

/* ---- links ---- */

static Code checkLink(DeviceHandle device, unsigned link) {
  unsigned count = 0;
  Code code = uintOf(device->target, "links", &count);
  if (code != SUCCESS) return code;
  return link < count ? SUCCESS : INVALID_ARGUMENT;
}

EXPORT Code nvmlDeviceGetNvLinkState(DeviceHandle device, unsigned link, unsigned *isActive) {
  ENTER_DEVICE(device);
  Code code = checkLink(device, link);
  if (code != SUCCESS) return code;
  *isActive = 1;
  code = uintOf(device->target, keyAt("link", link), isActive);
  return code == NOT_SUPPORTED ? SUCCESS : code;
}

EXPORT Code nvmlDeviceGetNvLinkErrorCounter(DeviceHandle device, unsigned link, unsigned counter,
                                            unsigned long long *value) {
  char key[64];
  ENTER_DEVICE(device);
  Code code = checkLink(device, link);
  if (code != SUCCESS) return code;
  snprintf(key, sizeof key, "linkErrors.%u.%u", link, counter);
  return numberOf(device->target, key, value);
}

/* ---- MIG ---- */

UINT(nvmlDeviceGetMaxMigDeviceCount, "mig.max")
UINT(nvmlDeviceGetGpuInstanceId, "gi")
UINT(nvmlDeviceGetComputeInstanceId, "ci")

EXPORT Code nvmlDeviceGetMigDeviceHandleByIndex(DeviceHandle device, unsigned index, DeviceHandle *instance) {
  char target[WORD_LENGTH];
  ENTER_DEVICE(device);
  Code code = wordOf(device->target, keyAt("mig", index), target);
  if (code != SUCCESS) return code == NOT_SUPPORTED ? NOT_FOUND : code;
  *instance = deviceOf(target);
  return SUCCESS;
}

EXPORT Code nvmlDeviceGetAttributes_v2(DeviceHandle device, nvmlDeviceAttributes_t *attributes) {
  ENTER_DEVICE(device);
  memset(attributes, 0xab, sizeof *attributes);
  Code code = numberOf(device->target, "memorySizeMB", &attributes->memorySizeMB);
  if (code != SUCCESS) return code;
  uintOf(device->target, "sms", &attributes->multiprocessorCount);
  uintOf(device->target, "slices", &attributes->gpuInstanceSliceCount);
  uintOf(device->target, "computeSlices", &attributes->computeInstanceSliceCount);
  return SUCCESS;
}

/* ---- events ---- */

struct EventSet {
  unsigned long long types[MAX_DEVICES];
  int last;
};

static int lastSerial(void) {
  Row row;
  int last = 0;
  for (int i = 0; findRowNumber(isVerb, "event", i, &row); i++)
    if (atoi(row.words[1]) > last) last = atoi(row.words[1]);
  return last;
}

EXPORT Code nvmlEventSetCreate(EventSetHandle *set) {
  ENTER("driver");
  *set = calloc(1, sizeof **set);
  (*set)->last = lastSerial();
  return SUCCESS;
}

EXPORT Code nvmlEventSetFree(EventSetHandle set) {
  ENTER("driver");
  free(set);
  return SUCCESS;
}

ULONG(nvmlDeviceGetSupportedEventTypes, "events")

EXPORT Code nvmlDeviceRegisterEvents(DeviceHandle device, unsigned long long types, EventSetHandle set) {
  unsigned long long supported = 0;
  ENTER_DEVICE(device);
  Code code = numberOf(device->target, "events", &supported);
  if (code != SUCCESS) return code;
  if ((types & ~supported) != 0) return NOT_SUPPORTED;
  set->types[device - devices] = types;
  return SUCCESS;
}

static int nextEvent(EventSetHandle set, nvmlEventData_t *data) {
  Row row;
  for (int i = 0; findRowNumber(isVerb, "event", i, &row); i++) {
    int serial = atoi(row.words[1]);
    unsigned long long type = strtoull(row.words[3], NULL, 0);
    DeviceHandle device = deviceOf(row.words[2]);
    if (serial <= set->last || (set->types[device - devices] & type) == 0) continue;
    set->last = serial;
    *data = (nvmlEventData_t){device, type, strtoull(row.words[4], NULL, 0), ~0u, ~0u};
    return 1;
  }
  return 0;
}

EXPORT Code nvmlEventSetWait_v2(EventSetHandle set, nvmlEventData_t *data, unsigned timeoutMs) {
  struct timespec start, now;
  ENTER("driver");
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (;;) {
    if (nextEvent(set, data)) return SUCCESS;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long waited = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
    if (waited >= (long)timeoutMs) return TIMEOUT;
    sleepMs(5);
  }
}

/* ---- what came with later drivers ---- */

#ifndef OLD_DRIVER

ULONG(nvmlDeviceGetCurrentClocksEventReasons, "eventReasons")

EXPORT Code nvmlDeviceGetTemperatureV(DeviceHandle device, nvmlTemperature_v1_t *temperature) {
  ENTER_DEVICE(device);
  if (temperature->version != VERSIONED(nvmlTemperature_v1_t, 1)) return VERSION_MISMATCH;
  if (temperature->sensorType != 0) return INVALID_ARGUMENT;
  char word[WORD_LENGTH];
  Code code = wordOf(device->target, "temperatureV", word);
  if (code == SUCCESS) temperature->temperature = atoi(word);
  return code;
}

EXPORT Code nvmlDeviceGetMemoryInfo_v2(DeviceHandle device, nvmlMemory_v2_t *memory) {
  ENTER_DEVICE(device);
  if (memory->version != VERSIONED(nvmlMemory_v2_t, 2)) return VERSION_MISMATCH;
  Code code = numberOf(device->target, "memory.reserved", &memory->reserved);
  if (code == SUCCESS) code = numberOf(device->target, "memory.total", &memory->total);
  if (code == SUCCESS) code = numberOf(device->target, "memory.free", &memory->free);
  return code == SUCCESS ? numberOf(device->target, "memory.used", &memory->used) : code;
}

static Code readFabric(const char *target, Code *status, unsigned char *state) {
  unsigned statusNumber = 0, stateNumber = 0;
  Code code = uintOf(target, "fabric.state", &stateNumber);
  if (code != SUCCESS) return code;
  uintOf(target, "fabric.status", &statusNumber);
  *status = (Code)statusNumber;
  *state = (unsigned char)stateNumber;
  return SUCCESS;
}

EXPORT Code nvmlDeviceGetGpuFabricInfoV(DeviceHandle device, nvmlGpuFabricInfo_v2_t *fabric) {
  ENTER_DEVICE(device);
  if (fabric->version != VERSIONED(nvmlGpuFabricInfo_v2_t, 2)) return VERSION_MISMATCH;
  return readFabric(device->target, &fabric->status, &fabric->state);
}

EXPORT Code nvmlDeviceGetGpuFabricInfo(DeviceHandle device, nvmlGpuFabricInfo_t *fabric) {
  ENTER_DEVICE(device);
  return readFabric(device->target, &fabric->status, &fabric->state);
}

static int isProcess(const Row *row, const void *context) {
  const Call *asked = context;
  return row->count == 5 && strcmp(row->words[0], "process") == 0 && strcmp(row->words[1], asked->target) == 0 &&
         strcmp(row->words[2], asked->verb) == 0;
}

static Code listProcesses(const char *target, const char *kind, unsigned *count, nvmlProcessInfo_t *infos) {
  Call asked = {kind, NULL, target};
  Row row;
  unsigned room = *count, found = 0;
  for (; findRowNumber(isProcess, &asked, (int)found, &row); found++) {
    if (found >= room) continue;
    int isKnown = strcmp(row.words[4], "na") != 0;
    unsigned long long bytes = isKnown ? strtoull(row.words[4], NULL, 0) : ~0ull;
    infos[found] = (nvmlProcessInfo_t){(unsigned)atoi(row.words[3]), bytes, ~0u, ~0u};
  }
  *count = found;
  return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

#define PROCESSES(name, kind)                                                                \
  EXPORT Code name(DeviceHandle device, unsigned *count, nvmlProcessInfo_t *infos) {         \
    ENTER_DEVICE(device);                                                                    \
    return listProcesses(device->target, kind, count, infos);                                \
  }

PROCESSES(nvmlDeviceGetComputeRunningProcesses_v3, "compute")
PROCESSES(nvmlDeviceGetMPSComputeRunningProcesses_v3, "mps")
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v3, "graphics")

/* A sample remembers whose it is and when it was taken: metrics need two of one target, in that order. */
struct GpmSample {
  char target[48];
  int taken;
};

EXPORT Code nvmlGpmQueryDeviceSupport(DeviceHandle device, nvmlGpmSupport_t *support) {
  ENTER_DEVICE(device);
  if (support->version != 1) return VERSION_MISMATCH;
  return uintOf(device->target, "gpm", &support->isSupportedDevice);
}

EXPORT Code nvmlGpmSampleAlloc(SampleHandle *sample) {
  ENTER("driver");
  *sample = calloc(1, sizeof **sample);
  liveSamples++;
  return SUCCESS;
}

EXPORT Code nvmlGpmSampleFree(SampleHandle sample) {
  ENTER("driver");
  free(sample);
  liveSamples--;
  return SUCCESS;
}

static int samplesTaken = 0;

EXPORT Code nvmlGpmSampleGet(DeviceHandle device, SampleHandle sample) {
  ENTER_DEVICE(device);
  snprintf(sample->target, sizeof sample->target, "%s", device->target);
  sample->taken = ++samplesTaken;
  return SUCCESS;
}

EXPORT Code nvmlGpmMigSampleGet(DeviceHandle device, unsigned gpuInstanceId, SampleHandle sample) {
  ENTER_DEVICE(device);
  snprintf(sample->target, sizeof sample->target, "%s/gi%u", device->target, gpuInstanceId);
  sample->taken = ++samplesTaken;
  return SUCCESS;
}

EXPORT Code nvmlGpmMetricsGet(nvmlGpmMetricsGet_t *question) {
  ENTER("driver");
  SampleHandle earlier = question->sample1, later = question->sample2;
  if (question->version != 1) return VERSION_MISMATCH;
  if (earlier->taken == 0 || earlier->taken >= later->taken) return INVALID_ARGUMENT;
  if (strcmp(earlier->target, later->target) != 0) return INVALID_ARGUMENT;
  for (unsigned i = 0; i < question->numMetrics; i++) {
    char word[WORD_LENGTH];
    nvmlGpmMetric_t *metric = &question->metrics[i];
    metric->value = -1;
    metric->nvmlReturn = wordOf(later->target, keyAt("gpm", metric->metricId), word);
    if (metric->nvmlReturn == SUCCESS) metric->value = strtod(word, NULL);
  }
  return SUCCESS;
}

#endif

/* How many samples were allocated and not freed. */
EXPORT int fakeLiveSamples(void) {
  return liveSamples;
}
