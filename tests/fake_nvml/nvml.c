/* A stand-in for NVIDIA's management library, libnvidia-ml.so.1, that tests can drive and break.
 *
 * It answers the calls of NVML that a report on a GPU needs, from a text file, and misbehaves on request: fails, hangs,
 * crashes, prints. It exports no call that changes a GPU (nvmlDeviceSet...), so a program that tried one would be told
 * that there is none. The grammar of the file is in __init__.py, which also compiles this file and checks what is set.
 *
 *   FAKE_NVML_STATE  the file; read at the first call
 *   FAKE_NVML_LIVE   1: read again at a call when it has changed
 *   FAKE_NVML_LOG    a file that gets a line per call, the call's name; "load" when the library is loaded
 *
 *   -DBRANCH=470     leave out what drivers of that branch did not have yet
 *   -DCUDA14         leave out what nvml.h announces as removed in CUDA 14
 *   -DNO_GetName     leave out one call: its name without nvml, nvmlSystem or nvmlDevice
 *
 * Layouts, codes and units are those of nvml.h as nvidia-ml-py spells them; the branches were read off the symbol
 * tables of real drivers.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_GPUS 256
#define MAX_SLOTS 8 /* for the MIG devices of one GPU */

enum {
    SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7,
    GPU_IS_LOST = 15, ARGUMENT_VERSION_MISMATCH = 25,
};

/* ---- what is exported ------------------------------------------------------------------------------------------- */

#ifndef BRANCH
#define BRANCH 999 /* the oldest that makes sense is 390: before it there was no nvmlInitWithFlags */
#endif

/* A call left out is hidden: dlsym does not find it. LEAVE_OUT_x is 1 where the calls marked x are, as is NO_call. */
#if BRANCH < 418
#define LEAVE_OUT_418 1
#endif
#if BRANCH < 450
#define LEAVE_OUT_450 1
#endif
#if BRANCH < 510 /* or 515: after 470 and by 525 */
#define LEAVE_OUT_510 1
#endif
#if BRANCH < 535
#define LEAVE_OUT_535 1
#endif
#if BRANCH < 565 /* after 555 and by 590 */
#define LEAVE_OUT_565 1
#endif
#ifdef CUDA14
#define LEAVE_OUT_OLD 1
#endif
#define HIDDEN_1 ~, "hidden"
#define SECOND(first, second, ...) second
#define CHOOSE(...) SECOND(__VA_ARGS__)
#define PASTED(age, flag) CHOOSE(HIDDEN_##age, CHOOSE(HIDDEN_##flag, "default", ~), ~)
#define VISIBILITY(age, flag) PASTED(age, flag)
#define EXPORT(age, name) __attribute__((visibility(VISIBILITY(LEAVE_OUT_##age, NO_##name))))
/* The age: EVER is in all branches, a number is the first branch that has it, OLD will not be in CUDA 14. */
#define LIBRARY(age, name, ...) EXPORT(age, name) int nvml##name(__VA_ARGS__)
#define SYSTEM(age, name, ...) EXPORT(age, name) int nvmlSystem##name(__VA_ARGS__)
#define DEVICE(age, name, ...) EXPORT(age, name) int nvmlDevice##name(__VA_ARGS__)

/* ---- NVML's layouts --------------------------------------------------------------------------------------------- */

typedef struct device { /* what a handle points to: a GPU, or one of its MIG devices */
    int gpu, slot;      /* slot -1: the GPU itself */
    char label[24];     /* "gpu0", "gpu0/mig1" */
    atomic_uint outgrown[3]; /* how often in a row a process list did not fit: compute, graphics, MPS */
} *handle;

struct memory { unsigned long long total, free, used; };
struct memory_v2 { unsigned version; unsigned long long total, reserved, free, used; };
struct utilization { unsigned gpu, memory; };
struct temperature { unsigned version, sensor; int celsius; };
struct addressing { unsigned version, mode; };
struct process_v1 { unsigned pid, padding; unsigned long long used; };
struct process_v2 { unsigned pid, padding; unsigned long long used; unsigned gpu_instance, compute_instance; };
struct pci { char legacy_id[16]; unsigned domain, bus, device, device_id, subsystem_id; char id[32]; };
struct sample { unsigned long long time; union { double real; unsigned long long whole; } value; };
struct attributes {
    unsigned multiprocessors, copy_engines, decoders, encoders, jpegs, ofas, gpu_slices, compute_slices;
    unsigned long long memory_mib;
};

/* ---- the state file --------------------------------------------------------------------------------------------- */

enum { VALUE, FAIL, HANG, SLOW, SEGV, ABORT, EXIT, PRINT, GROW, HEAL, VERBS };
static const char *const VERB[] = {"", "fail", "hang", "slow", "segv", "abort", "exit", "print", "grow", "heal"};

struct line {
    int verb;
    const char *scope; /* a pattern of device labels; NULL: no device for a value, all and none for a fault */
    const char *key;   /* of a value; a pattern of calls for a fault */
    char *value;
};
struct state { struct line *lines; size_t count; struct stat file; };

static struct device devices[MAX_GPUS][1 + MAX_SLOTS]; /* [gpu][0] is the GPU, [gpu][1 + n] its MIG device n */
static atomic_int initialised;
static _Thread_local const struct state *state; /* the one that holds for this call */

#define DIE(...) (fprintf(stderr, "fake NVML: " __VA_ARGS__), fputc('\n', stderr), abort())

static char *trim(char *text)
{
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) end--;
    *end = '\0';
    while (isspace((unsigned char)*text)) text++;
    return text;
}

static char *cut_comment(char *text) /* from a # at the beginning or after a blank */
{
    for (char *mark = strchr(text, '#'); mark; mark = strchr(mark + 1, '#'))
        if (mark == text || isspace((unsigned char)mark[-1])) *mark = '\0';
    return text;
}

static void unescape(char *text) /* \xHH and \e, so that a name can hold any byte */
{
    char *out = text;
    while (*text) {
        unsigned byte;
        int length = 2;
        if (text[0] == '\\' && text[1] == 'e') byte = 033;
        else if (sscanf(text, "\\x%2x%n", &byte, &length) != 1) byte = (unsigned char)*text, length = 1;
        *out++ = (char)byte;
        text += length;
    }
    *out = '\0';
}

static struct line parsed(char *text)
{
    struct line line = {.verb = VALUE};
    char *equals = strchr(text, '='), *blank, *mark;
    if (equals) *equals = '\0', unescape(line.value = trim(equals + 1));
    text = trim(text);
    blank = strpbrk(text, " \t");
    if (blank) { /* verb call[@device] [= value] */
        *blank = '\0';
        while (strcmp(VERB[line.verb], text))
            if (++line.verb == VERBS) DIE("there is no verb %s", text);
        line.key = trim(blank + 1);
        if ((mark = strchr(line.key, '@'))) *mark = '\0', line.scope = mark + 1;
    } else { /* [device.]key = value */
        line.key = text;
        if ((mark = strchr(text, '.'))) *mark = '\0', line.scope = text, line.key = mark + 1;
        if (!line.value) DIE("%s has no value", line.key);
    }
    return line;
}

static const struct state *load(const char *path, const struct stat *file)
{
    struct state *loaded = calloc(1, sizeof *loaded); /* never freed: another thread may be reading the one before */
    FILE *source = fopen(path, "re");
    if (!source) DIE("cannot read %s", path);
    loaded->file = *file;
    for (char *line = NULL; getline(&line, &(size_t){0}, source) > 0; line = NULL) {
        char *text = trim(cut_comment(line));
        if (!*text) continue;
        loaded->lines = realloc(loaded->lines, (loaded->count + 1) * sizeof *loaded->lines);
        loaded->lines[loaded->count++] = parsed(text);
    }
    return fclose(source), loaded;
}

static void refresh(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const struct state *latest;
    const char *path = getenv("FAKE_NVML_STATE"), *live = getenv("FAKE_NVML_LIVE");
    struct stat file;
    pthread_mutex_lock(&lock);
    if (!latest || (live && !strcmp(live, "1"))) {
        if (!path || stat(path, &file)) DIE("there is no file that FAKE_NVML_STATE names: %s", path ? path : "");
        if (!latest || file.st_ino != latest->file.st_ino || file.st_size != latest->file.st_size ||
            memcmp(&file.st_mtim, &latest->file.st_mtim, sizeof file.st_mtim))
            latest = load(path, &file);
    }
    state = latest;
    pthread_mutex_unlock(&lock);
}

static int in_scope(const struct line *line, const struct device *device)
{
    if (!line->scope) return line->verb != VALUE || !device;
    return device && !fnmatch(line->scope, device->label, FNM_PATHNAME); /* gpu* is no MIG device: there is a slash */
}

static double epoch(void) /* in seconds */
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const char *at_a_time(const char *value, double time) /* "0, 1.5: 80": 80 from 1.5 s after the file was written */
{
    static _Thread_local char pieces[8][64]; /* several are looked at together */
    static _Thread_local unsigned turn;
    const char *chosen = value, *next = value, *end;
    double since, set = (double)state->file.st_mtim.tv_sec + (double)state->file.st_mtim.tv_nsec / 1e9;
    char *piece;
    int length;
    while ((next = strchr(next, ',')) && sscanf(++next, " %lf : %n", &since, &length) == 1)
        if (time - set >= since) chosen = next + length;
    end = strchr(chosen, ',');
    if (chosen == value && (!end || sscanf(end + 1, " %lf :", &since) != 1)) return value; /* no such list */
    piece = pieces[turn++ % 8];
    snprintf(piece, sizeof pieces[0], "%.*s", (int)(end ? end - chosen : (long)strlen(chosen)), chosen);
    return piece;
}

static const char *whole(const struct device *device, const char *key) /* the last line that applies is the one */
{
    for (const struct line *line = state->lines + state->count; line-- > state->lines;)
        if (line->verb == VALUE && !strcmp(line->key, key) && in_scope(line, device)) return line->value;
    return NULL;
}

static const char *find(const struct device *device, const char *key)
{
    const char *value = whole(device, key);
    return value && strchr(value, ',') ? at_a_time(value, epoch()) : value;
}

static int absent(const char *value) { return !value || !strcmp(value, "none") || !strcmp(value, "not_supported"); }

static unsigned long long number(const char *key, const char *value)
{
    char *end;
    unsigned long long converted = strtoull(value, &end, 0);
    if (end != value && !*end) return converted;
    if (!strcmp(value, "off")) return 0;
    if (strcmp(value, "on")) DIE("'%s' is no number for %s", value, key);
    return 1;
}

static unsigned long long otherwise(const struct device *device, const char *key, unsigned long long missing)
{
    const char *value = find(device, key);
    return absent(value) ? missing : number(key, value);
}

static int wide(const struct device *device, const char *key, unsigned long long *answer)
{
    if (!answer) return INVALID_ARGUMENT;
    if (absent(find(device, key))) return NOT_SUPPORTED;
    return *answer = number(key, find(device, key)), SUCCESS;
}

static int reading(const struct device *device, const char *key, unsigned *answer)
{
    unsigned long long value = 0;
    int code = wide(device, key, answer ? &value : NULL);
    if (!code) *answer = (unsigned)value;
    return code;
}

static int text(const char *value, char *answer, unsigned length)
{
    if (!answer) return INVALID_ARGUMENT;
    if (absent(value)) return NOT_SUPPORTED;
    if (strlen(value) >= length) return INSUFFICIENT_SIZE;
    return strcpy(answer, value), SUCCESS;
}

/* ---- at the door of every call ---------------------------------------------------------------------------------- */

static void record(const char *call)
{
    const char *path = getenv("FAKE_NVML_LOG");
    int log = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (log >= 0) dprintf(log, "%s\n", call), close(log);
}

static const char *fault(int verb, const char *call, const struct device *device) /* its value; NULL: none is set */
{
    int loading = !strcmp(call, "load"); /* no pattern means loading: a driver that hangs there is a case of its own */
    for (const struct line *line = state->lines + state->count; line-- > state->lines;) {
        if ((line->verb != verb && line->verb != HEAL) || !in_scope(line, device)) continue;
        if (loading ? strcmp(line->key, call) : fnmatch(line->key, call, 0)) continue;
        return line->verb == HEAL ? NULL : line->value ? line->value : "";
    }
    return NULL;
}

static int begin(const char *call, const struct device *device)
{
    const char *value;
    record(call);
    refresh();
    if ((value = fault(PRINT, call, device)))
        for (int stream = STDOUT_FILENO; stream <= STDERR_FILENO; stream++) dprintf(stream, "%s\n", value);
    if ((value = fault(SLOW, call, device))) {
        double seconds = strtod(value, NULL);
        struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
        while (nanosleep(&left, &left)) continue;
    }
    while (fault(HANG, call, device)) pause();
    if (fault(SEGV, call, device)) signal(SIGSEGV, SIG_DFL), raise(SIGSEGV);
    if (fault(ABORT, call, device)) abort();
    if ((value = fault(EXIT, call, device))) _exit(*value ? (int)number(call, value) : 3);
    return (value = fault(FAIL, call, device)) ? (int)number(call, value) : SUCCESS;
}

static int ready(const char *call, const struct device *device) /* for all but the few that work before nvmlInit */
{
    int code = begin(call, device);
    return code ? code : initialised ? SUCCESS : UNINITIALIZED;
}

static unsigned gpus(void) { return (unsigned)otherwise(NULL, "gpus", 1) % (MAX_GPUS + 1); }

static int of_device(const char *call, const struct device *device)
{
    size_t offset = (size_t)((const char *)device - (const char *)devices);
    int known = device && offset < sizeof devices && offset % sizeof *device == 0;
    int code = ready(call, known ? device : NULL);
    return code ? code : !known ? INVALID_ARGUMENT : (unsigned)device->gpu < gpus() ? SUCCESS : GPU_IS_LOST;
}

#define UNLESS(code) do { int code_ = (code); if (code_) return code_; } while (0)
#define BEGIN() UNLESS(begin(__func__, NULL))
#define READY() UNLESS(ready(__func__, NULL))
#define OF(device) UNLESS(of_device(__func__, device))
#define NEEDS(condition) UNLESS((condition) ? SUCCESS : INVALID_ARGUMENT)

__attribute__((constructor)) static void library_loaded(void)
{
    for (int place = 0; place < MAX_GPUS * (1 + MAX_SLOTS); place++) {
        struct device *device = &devices[0][0] + place;
        int gpu = device->gpu = place / (1 + MAX_SLOTS), slot = device->slot = place % (1 + MAX_SLOTS) - 1;
        snprintf(device->label, sizeof device->label, slot < 0 ? "gpu%d" : "gpu%d/mig%d", gpu, slot);
    }
    if (getenv("FAKE_NVML_STATE")) begin("load", NULL);
}

/* ---- library and system ----------------------------------------------------------------------------------------- */

LIBRARY(EVER, InitWithFlags, unsigned flags) { BEGIN(); (void)flags, initialised++; return SUCCESS; }
LIBRARY(EVER, Init_v2, void) { BEGIN(); initialised++; return SUCCESS; }
/* Without an init before it the real one is content too. */
LIBRARY(EVER, Shutdown, void) { BEGIN(); initialised -= initialised > 0; return SUCCESS; }

EXPORT(EVER, ErrorString) const char *nvmlErrorString(int code) /* the binding asks it about codes it does not know */
{ return begin(__func__, NULL), code ? "Unknown Error" : "Success"; }

SYSTEM(EVER, GetDriverVersion, char *version, unsigned length)
{ READY(); return text(find(NULL, "driver_version"), version, length); }

SYSTEM(EVER, GetNVMLVersion, char *version, unsigned length) /* "12.580.82.07": CUDA's major number, the driver's */
{
    char made[80];
    const char *driver;
    UNLESS(BRANCH < 535 ? ready(__func__, NULL) : begin(__func__, NULL)); /* works before nvmlInit since 535 */
    driver = find(NULL, "driver_version");
    snprintf(made, sizeof made, "%llu.%s", otherwise(NULL, "cuda_version", 0) / 1000, driver ? driver : "0");
    return text(made, version, length);
}

#define CUDA(age, name) \
    SYSTEM(age, name, int *version) { READY(); return reading(NULL, "cuda_version", (unsigned *)version); }
CUDA(EVER, GetCudaDriverVersion)
CUDA(418, GetCudaDriverVersion_v2)

/* ---- handles ---------------------------------------------------------------------------------------------------- */

static const char *uuid(const struct device *device, char made[static 64]) /* NULL: a MIG slot with nothing in it */
{
    const char *value = find(device, "uuid");
    if (value || device->slot >= 0) return absent(value) ? NULL : value;
    snprintf(made, 64, "GPU-00000000-0000-4000-8000-%012d", device->gpu);
    return made;
}

DEVICE(EVER, GetCount_v2, unsigned *count)
{ READY(); NEEDS(count); return *count = gpus(), SUCCESS; }

DEVICE(EVER, GetHandleByIndex_v2, unsigned index, handle *answer)
{
    UNLESS(ready(__func__, index < MAX_GPUS ? &devices[index][0] : NULL)); /* so that it can fail for one GPU only */
    NEEDS(answer && index < gpus());
    return *answer = &devices[index][0], SUCCESS;
}

DEVICE(EVER, GetHandleByUUID, const char *wanted, handle *answer)
{
    char made[64];
    READY();
    NEEDS(wanted && answer);
    for (unsigned place = 0; place < gpus() * (1 + MAX_SLOTS); place++) {
        const char *name = uuid(*answer = &devices[0][0] + place, made);
        if (name && !strcmp(name, wanted)) return SUCCESS;
    }
    return NOT_FOUND;
}

DEVICE(EVER, GetUUID, handle device, char *answer, unsigned length)
{ char made[64]; OF(device); return text(uuid(device, made), answer, length); }
#define TEXT(name, key) \
    DEVICE(EVER, name, handle device, char *answer, unsigned length) \
    { OF(device); return text(whole(device, key), answer, length); }
TEXT(GetName, "name")
TEXT(GetSerial, "serial")

DEVICE(EVER, GetPciInfo_v3, handle device, struct pci *pci)
{
    const char *id;
    OF(device);
    NEEDS(pci);
    id = find(device, "pci_bus_id");
    memset(pci, 0, sizeof *pci);
    pci->bus = 4 + (unsigned)device->gpu; /* unless the file says otherwise */
    if (id && sscanf(id, "%x:%x:%x.", &pci->domain, &pci->bus, &pci->device) != 3) DIE("'%s' is no PCI bus id", id);
    snprintf(pci->id, sizeof pci->id, "%08X:%02X:%02X.0", pci->domain, pci->bus, pci->device);
    strncpy(pci->legacy_id, pci->id + 4, sizeof pci->legacy_id - 1);
    pci->device_id = (unsigned)otherwise(device, "pci_device_id", 0);
    return SUCCESS;
}

/* ---- readings --------------------------------------------------------------------------------------------------- */

#define VERSIONED(answer, version_of_it) /* its number and its size, in the first field */ \
    NEEDS(answer); \
    if (answer->version != ((version_of_it##u << 24) | sizeof *answer)) return ARGUMENT_VERSION_MISMATCH

static int memory(const struct device *device, struct memory_v2 *answer)
{
    UNLESS(wide(device, "memory_total", &answer->total));
    answer->reserved = otherwise(device, "memory_reserved", 0);
    answer->used = otherwise(device, "memory_used", 0);
    answer->free = answer->total - answer->reserved - answer->used;
    return SUCCESS;
}

DEVICE(EVER, GetMemoryInfo, handle device, struct memory *answer)
{
    struct memory_v2 newer;
    OF(device);
    NEEDS(answer);
    UNLESS(memory(device, &newer));
    *answer = (struct memory){newer.total, newer.free, newer.used + newer.reserved}; /* it has no "reserved" */
    return SUCCESS;
}
DEVICE(510, GetMemoryInfo_v2, handle device, struct memory_v2 *answer)
{ OF(device); VERSIONED(answer, 2); return memory(device, answer); }

DEVICE(EVER, GetUtilizationRates, handle device, struct utilization *answer)
{
    OF(device);
    NEEDS(answer);
    answer->memory = (unsigned)otherwise(device, "utilization_memory", 0);
    return reading(device, "utilization_gpu", &answer->gpu);
}

DEVICE(EVER, GetSamples, handle device, unsigned what, unsigned long long since, unsigned *kind, unsigned *count,
       struct sample *answer)
{
    unsigned long long period, newest, time;
    unsigned kept, there = 0;
    const char *percents, *percent;
    OF(device);
    NEEDS(kind && count);
    UNLESS(reading(device, "samples", &kept));
    if (what != 1) return NOT_SUPPORTED; /* NVML_GPU_UTILIZATION_SAMPLES */
    if (!answer) return *count = kept, SUCCESS;
    *kind = (unsigned)otherwise(device, "sample_type", 1);
    period = 1000 * otherwise(device, "sample_ms", 167);
    newest = (unsigned long long)(epoch() * 1e6) - 1000 * otherwise(device, "sample_age_ms", 0);
    newest -= newest % period;
    percents = whole(device, "utilization_gpu");
    while (kept-- > 0) {
        if ((time = newest - kept * period) <= since || there++ >= *count) continue;
        percent = percents && strchr(percents, ',') ? at_a_time(percents, (double)time / 1e6) : percents;
        struct sample *sample = &answer[there - 1];
        sample->time = time;
        sample->value.whole = absent(percent) ? 0 : number("utilization_gpu", percent);
        if (!*kind) sample->value.real = (double)sample->value.whole;
    }
    if (!there) return NOT_FOUND;
    if (there > *count) return *count = there, INSUFFICIENT_SIZE;
    return *count = there, SUCCESS;
}

DEVICE(OLD, GetTemperature, handle device, unsigned sensor, unsigned *celsius)
{ OF(device); return sensor ? INVALID_ARGUMENT : reading(device, "temperature", celsius); }
DEVICE(565, GetTemperatureV, handle device, struct temperature *answer)
{ OF(device); VERSIONED(answer, 1); return reading(device, "temperature", (unsigned *)&answer->celsius); }
DEVICE(565, GetAddressingMode, handle device, struct addressing *answer)
{ OF(device); VERSIONED(answer, 1); return reading(device, "addressing_mode", &answer->mode); }

#define READING(age, name, key) \
    DEVICE(age, name, handle device, unsigned *value) { OF(device); return reading(device, key, value); }
READING(EVER, GetPowerUsage, "power_mw")
READING(EVER, GetPowerManagementLimit, "power_limit_mw")
READING(EVER, GetEnforcedPowerLimit, find(device, "enforced_limit_mw") ? "enforced_limit_mw" : "power_limit_mw")
READING(EVER, GetPerformanceState, "performance_state")
READING(EVER, GetFanSpeed, "fan")
READING(EVER, GetPersistenceMode, "persistence")
READING(EVER, GetVirtualizationMode, "virtualization")
READING(450, GetArchitecture, "architecture")
READING(450, GetGpuInstanceId, "gpu_instance")
READING(450, GetComputeInstanceId, "compute_instance")

#define WIDE(age, name, key) \
    DEVICE(age, name, handle device, unsigned long long *value) { OF(device); return wide(device, key, value); }
WIDE(EVER, GetTotalEnergyConsumption, "energy_mj")
WIDE(OLD, GetCurrentClocksThrottleReasons, "throttle_reasons")
WIDE(535, GetCurrentClocksEventReasons, "throttle_reasons")

#define CLOCK(name, ...) \
    DEVICE(EVER, name, handle device, unsigned kind, unsigned *mhz) \
    { \
        static const char *const KEY[] = {__VA_ARGS__}; \
        OF(device); \
        return kind < 4 ? reading(device, KEY[kind], mhz) : INVALID_ARGUMENT; \
    }
CLOCK(GetClockInfo, "clock_graphics", "clock_sm", "clock_memory", "clock_video")
CLOCK(GetMaxClockInfo, "max_clock_graphics", "max_clock_sm", "max_clock_memory", "max_clock_video")

#define PLAIN(age, name, value) /* for what every device answers */ \
    DEVICE(age, name, handle device, unsigned *answer) \
    { OF(device); NEEDS(answer); return *answer = (unsigned)(value), SUCCESS; }
PLAIN(EVER, GetIndex, device->slot < 0 ? device->gpu : device->slot)
PLAIN(510, GetNumFans, otherwise(device, "fans", !absent(find(device, "fan"))))
PLAIN(450, GetMaxMigDeviceCount, otherwise(device, "mig_slots", 0)) /* zero where there is no MIG, says nvml.h */
PLAIN(450, IsMigDeviceHandle, device->slot >= 0)

DEVICE(418, GetFanSpeed_v2, handle device, unsigned fan, unsigned *percent)
{ OF(device); return fan && fan >= otherwise(device, "fans", 1) ? INVALID_ARGUMENT : reading(device, "fan", percent); }

#define MODE(age, name, key, key_of_pending) \
    DEVICE(age, name, handle device, unsigned *current, unsigned *pending) \
    { \
        OF(device); \
        NEEDS(pending); \
        UNLESS(reading(device, key, current)); \
        return *pending = (unsigned)otherwise(device, key_of_pending, *current), SUCCESS; \
    }
MODE(EVER, GetEccMode, "ecc", "ecc_pending")
MODE(450, GetMigMode, "mig", "mig_pending")

DEVICE(EVER, GetTotalEccErrors, handle device, unsigned kind, unsigned counter, unsigned long long *count)
{ OF(device); return counter > 1 ? INVALID_ARGUMENT : wide(device, kind ? "ecc_errors" : "ecc_corrected", count); }

DEVICE(EVER, GetCudaComputeCapability, handle device, int *major, int *minor)
{
    const char *value;
    OF(device);
    NEEDS(major && minor);
    value = find(device, "cc");
    if (absent(value)) return NOT_SUPPORTED;
    if (sscanf(value, "%d.%d", major, minor) != 2) DIE("'%s' is no compute capability", value);
    return SUCCESS;
}

/* ---- processes -------------------------------------------------------------------------------------------------- */

static char described(const char *value, struct process_v2 *process) /* its kind */
{
    char used[32], kind = 'C';
    *process = (struct process_v2){0, 0, ULLONG_MAX, UINT_MAX, UINT_MAX}; /* as much as NVML's "not available" */
    if (sscanf(value, "%u %31s %c %u %u", &process->pid, used, &kind, &process->gpu_instance,
               &process->compute_instance) < 2)
        DIE("'%s' is no process: PID BYTES|none [C|G|M [GI CI]]", value);
    if (!absent(used)) process->used = number("process", used);
    return kind;
}

static int processes(const char *call, handle device, char kind, unsigned *count, void *answer, size_t size)
{
    atomic_uint *outgrown = &device->outgrown[kind == 'C' ? 0 : kind == 'G' ? 1 : 2];
    unsigned there = 0, refused = 0, capacity = answer && count ? *count : 0;
    const char *many = find(device, "processes"), *growth = fault(GROW, call, device);
    unsigned made = kind == 'C' ? (unsigned)otherwise(device, "processes", 0) : 0;
    unsigned long long share = made ? otherwise(device, "memory_used", 0) / made : 0;
    struct process_v2 process;
    NEEDS(count);
    for (const struct line *line = state->lines; line < state->lines + state->count; line++) {
        if (line->verb != VALUE || strcmp(line->key, "process") || !in_scope(line, device)) continue;
        if (!strcmp(line->value, "clear")) there = refused = 0;
        else if (absent(line->value)) refused = 1;
        else if (described(line->value, &process) == kind && there++ < capacity)
            memcpy((char *)answer + (there - 1) * size, &process, size);
    }
    if (refused || (many && absent(many))) return NOT_SUPPORTED;
    for (unsigned index = 0; index < made; index++) { /* pids that cannot be: Linux ends at 4194304 */
        process = (struct process_v2){5000000 + 10000 * (unsigned)device->gpu + index, 0, share, UINT_MAX, UINT_MAX};
        if (there++ < capacity) memcpy((char *)answer + (there - 1) * size, &process, size);
    }
    if (capacity && growth && *outgrown < number("grow", growth)) { /* more came since the caller asked how many */
        ++*outgrown;
        there = capacity + 1;
    } else if (capacity) *outgrown = 0;
    *count = there;
    return there > capacity ? INSUFFICIENT_SIZE : SUCCESS;
}

/* The older layout is the beginning of the newer one. */
#define PROCESSES(age, name, kind, layout) \
    DEVICE(age, name, handle device, unsigned *count, struct layout *answer) \
    { OF(device); return processes(__func__, device, kind, count, answer, sizeof *answer); }
PROCESSES(EVER, GetComputeRunningProcesses, 'C', process_v1)
PROCESSES(450, GetComputeRunningProcesses_v2, 'C', process_v2)
PROCESSES(510, GetComputeRunningProcesses_v3, 'C', process_v2)
PROCESSES(EVER, GetGraphicsRunningProcesses, 'G', process_v1)
PROCESSES(450, GetGraphicsRunningProcesses_v2, 'G', process_v2)
PROCESSES(510, GetGraphicsRunningProcesses_v3, 'G', process_v2)
PROCESSES(510, GetMPSComputeRunningProcesses_v3, 'M', process_v2)

/* ---- MIG -------------------------------------------------------------------------------------------------------- */

DEVICE(450, GetMigDeviceHandleByIndex, handle device, unsigned index, handle *answer)
{
    char made[64];
    OF(device);
    NEEDS(answer && device->slot < 0);
    if (absent(find(device, "mig"))) return NOT_SUPPORTED;
    NEEDS(index < MAX_SLOTS && index < otherwise(device, "mig_slots", 0));
    return uuid(*answer = &devices[device->gpu][1 + index], made) ? SUCCESS : NOT_FOUND;
}

DEVICE(450, GetDeviceHandleFromMigDeviceHandle, handle device, handle *answer)
{ OF(device); NEEDS(answer && device->slot >= 0); return *answer = &devices[device->gpu][0], SUCCESS; }

DEVICE(450, GetAttributes_v2, handle device, struct attributes *answer)
{
    OF(device);
    NEEDS(answer);
    memset(answer, 0, sizeof *answer);
    answer->gpu_slices = (unsigned)otherwise(device, "gpu_slices", 0);
    answer->compute_slices = (unsigned)otherwise(device, "compute_slices", 0);
    answer->memory_mib = otherwise(device, "memory_total", 0) >> 20;
    return reading(device, "multiprocessors", &answer->multiprocessors);
}
