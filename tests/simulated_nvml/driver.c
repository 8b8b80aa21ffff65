/* A simulated NVIDIA driver: reports a true power, which the workload writes, as real GPUs do.
 *
 * Built by the tests into libnvidia-ml.so.1, which the real binding loads in the driver's place.
 * The true state lies in a shared file (JOULEBENCH_SIMULATED_GPUS) laid out by __init__.py: one
 * piecewise-linear power per GPU with its running integral, on CLOCK_MONOTONIC.
 * Build with -DOLD_DRIVER to leave out what drivers before 2023 lack, and with
 * -DPROCESS_LISTS=470, 535 (its first releases) or 0 (no process lists) for other forms of these.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef PROCESS_LISTS
#define PROCESS_LISTS 550
#endif

enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, FORBIDDEN = 4, NOT_FOUND = 6, TOO_SMALL = 7, LOST = 15 };
enum { KNOTS = 8192, PROCESSES = 8, GPUS = 8 };

typedef struct { double time, watts, joules; } knot_t;

typedef struct { /* the order of `doubles` is FIELDS in __init__.py */
    char uuid[96], name[96], mig_uuid[96];
    double step, phase, jitter, lag, lag_jitter, quantum, scale, offset_watts, counter_duty;
    double power_step, power_phase, power_duty, power_average, power_noise;
    double call_seconds, lost_at, reset_at, has_counter, has_average, has_instant, forbidden;
    double mig, throttle, limit_watts, default_limit_watts, memory_bytes, temperature, clock, max_clock;
    double app_clock, default_app_clock, module_watts; /* the last is in the counter alone */
    double has_average_field, capability; /* compute capability: 8.0 is GA100 */
    double process_count, pids[PROCESSES];
    int64_t knot_count;
    knot_t knots[KNOTS];
} gpu_t;

typedef struct { int64_t gpu_count; char driver[96]; gpu_t gpus[GPUS]; } world_t;

typedef struct { long steps; double joules; } sampled_t;

static world_t *world;
static sampled_t summed[GPUS];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A number in [0, 1) that depends on k alone: the same jitter for every reader. */
static double noise(long k, uint64_t salt) {
    uint64_t x = (uint64_t)k * 0x9E3779B97F4A7C15ull + salt * 0xD1B54A32D192ED03ull;
    x ^= x >> 31; x *= 0xBF58476D1CE4E5B9ull; x ^= x >> 27; x *= 0x94D049BB133111EBull; x ^= x >> 31;
    return (double)(x >> 11) / 9007199254740992.0;
}

/* True energy in joules at time t, relative to the first knot. */
static double joules_at(const gpu_t *g, double t) {
    long low = 0, high = (long)g->knot_count - 1;
    while (low < high) {
        long middle = (low + high + 1) / 2;
        if (g->knots[middle].time <= t) low = middle; else high = middle - 1;
    }
    const knot_t *a = &g->knots[low];
    double span = t - a->time, end = a->watts;
    if (span > 0 && low + 1 < g->knot_count) {
        const knot_t *b = a + 1;
        if (b->time > a->time) end += (b->watts - a->watts) * span / (b->time - a->time);
    }
    return a->joules + 0.5 * (a->watts + end) * span;
}

static double mean_watts(const gpu_t *g, double from, double to) {
    return (joules_at(g, to) - joules_at(g, from)) / (to - from);
}

static double updated_at(const gpu_t *g, long k) {
    return g->phase + g->step * (double)k + g->jitter * noise(k, 1);
}

/* The number of the newest counter step that is published at time t. */
static long newest_step(const gpu_t *g, double t) {
    long k = (long)floor((t - g->phase - g->lag) / g->step) + 1;
    while (k > 0 && updated_at(g, k) + g->lag + g->lag_jitter * noise(k, 2) > t) k--;
    return k;
}

static double sampled_total(const gpu_t *g, long k) {
    sampled_t *s = &summed[g - world->gpus];
    for (; s->steps < k; s->steps++) {
        double end = updated_at(g, s->steps + 1);
        s->joules += g->step * mean_watts(g, end - g->counter_duty * g->step, end);
    }
    return s->joules;
}

static double counter_at(const gpu_t *g, double t) {
    long k = newest_step(g, t);
    double u = updated_at(g, k);
    double j = g->counter_duty < 1 ? sampled_total(g, k) : joules_at(g, u) - g->knots[0].joules;
    return g->scale * j + (g->offset_watts + g->module_watts) * (u - g->phase) + 1000.0;
}

static double power_at(const gpu_t *g, double t, double window) {
    long k = (long)floor((t - g->power_phase) / g->power_step);
    double u = g->power_phase + g->power_step * (double)k;
    double w = g->scale * mean_watts(g, u - window, u) + g->offset_watts;
    return w + g->power_noise * (noise(k, 3) - 0.5);
}

static int enter(const gpu_t *g) {
    if (g->call_seconds > 0) {
        struct timespec t = {0, (long)(1e9 * g->call_seconds)};
        nanosleep(&t, NULL);
    }
    return g->lost_at > 0 && now() >= g->lost_at ? LOST : OK;
}

#define ENTER(g) do { int entered = enter(g); if (entered) return entered; } while (0)

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    if (world) return OK;
    const char *path = getenv("JOULEBENCH_SIMULATED_GPUS");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return 9; /* driver not loaded */
    void *at = mmap(NULL, sizeof(world_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (at == MAP_FAILED) return 999;
    world = at;
    return OK;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { (void)code; return "simulated error"; }

int nvmlSystemGetDriverVersion(char *out, unsigned size) {
    strncpy(out, world->driver, size);
    return OK;
}
int nvmlDeviceGetCount_v2(unsigned *count) { *count = (unsigned)world->gpu_count; return OK; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, gpu_t **out) {
    if (index >= world->gpu_count) return INVALID;
    *out = &world->gpus[index];
    return world->gpus[index].lost_at > 0 && now() >= world->gpus[index].lost_at ? LOST : OK;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, gpu_t **out) {
    for (int i = 0; i < world->gpu_count; i++)
        if (!strcmp(uuid, world->gpus[i].uuid)) { *out = &world->gpus[i]; return OK; }
    return NOT_FOUND;
}

/* The lowest bit of the handle distinguishes a MIG slice from its GPU. */
static int is_slice(const void *handle) { return (int)((uintptr_t)handle & 1); }

int nvmlDeviceGetUUID(const gpu_t *g, char *out, unsigned size) {
    const gpu_t *gpu = (const gpu_t *)((uintptr_t)g & ~(uintptr_t)1);
    strncpy(out, is_slice(g) ? gpu->mig_uuid : gpu->uuid, size);
    return OK;
}
int nvmlDeviceGetName(const gpu_t *g, char *out, unsigned size) { strncpy(out, g->name, size); return OK; }
int nvmlDeviceGetMemoryInfo(const gpu_t *g, unsigned long long *out) {
    out[0] = (unsigned long long)g->memory_bytes; out[1] = out[0]; out[2] = 0;
    return OK;
}
int nvmlDeviceGetMigMode(const gpu_t *g, unsigned *current, unsigned *pending) {
    if (g->mig < 0) return UNSUPPORTED;
    *current = *pending = (unsigned)g->mig;
    return OK;
}
int nvmlDeviceGetMaxMigDeviceCount(const gpu_t *g, unsigned *count) { *count = g->mig > 0 ? 7 : 0; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(const gpu_t *g, unsigned index, uintptr_t *out) {
    if (g->mig <= 0 || index > 0) return NOT_FOUND;
    *out = (uintptr_t)g | 1;
    return OK;
}

int nvmlDeviceGetTotalEnergyConsumption(const gpu_t *g, unsigned long long *millijoules) {
    ENTER(g);
    if (g->forbidden > 0) return FORBIDDEN;
    if (g->has_counter <= 0) return UNSUPPORTED;
    double t = now(), j = counter_at(g, t);
    if (g->reset_at > 0 && t >= g->reset_at) j -= counter_at(g, g->reset_at);
    *millijoules = (unsigned long long)(1000.0 * g->quantum * floor(j / g->quantum) + 0.5);
    return OK;
}
int nvmlDeviceGetPowerUsage(const gpu_t *g, unsigned *milliwatts) {
    ENTER(g);
    if (g->forbidden > 0) return FORBIDDEN;
    if (g->has_average <= 0) return UNSUPPORTED;
    *milliwatts = (unsigned)(1000.0 * power_at(g, now(), g->power_average));
    return OK;
}

typedef struct {
    uint32_t id, scope;
    int64_t timestamp, latency;
    uint32_t type, status;
    union { double d; unsigned u; unsigned long long ull; } value;
} field_t;

/* Nanoseconds for which a reason held the clocks: as if it had done so since the machine started. */
static int throttled(const gpu_t *g, field_t *f) {
    unsigned bit = f->id == 74 ? 0x04 : f->id == 269 ? 0x20 : f->id == 270 ? 0x40 : 0x80;
    f->type = 3; /* unsigned long long */
    f->value.ull = (unsigned)g->throttle & bit ? (unsigned long long)(1e9 * now()) : 0;
    return OK;
}

int nvmlDeviceGetFieldValues(const gpu_t *g, int count, field_t *fields) {
    ENTER(g);
    for (int i = 0; i < count; i++) {
        fields[i].type = 1; /* unsigned int */
        fields[i].status = UNSUPPORTED;
#ifndef OLD_DRIVER
        if (fields[i].id == 74 || (fields[i].id >= 269 && fields[i].id <= 271))
            fields[i].status = throttled(g, &fields[i]);
#endif
        int instant = fields[i].id == 186 && g->has_instant > 0;
        if (!instant && !(fields[i].id == 185 && g->has_average_field > 0)) continue;
        double window = instant ? g->power_duty * g->power_step : 1.0;
        fields[i].status = g->forbidden > 0 ? FORBIDDEN : OK;
        fields[i].value.u = (unsigned)(1000.0 * power_at(g, now(), window));
    }
    return OK;
}

int nvmlDeviceGetPowerManagementLimit(const gpu_t *g, unsigned *out) {
    *out = (unsigned)(1000.0 * g->limit_watts);
    return OK;
}
int nvmlDeviceGetPowerManagementDefaultLimit(const gpu_t *g, unsigned *out) {
    *out = (unsigned)(1000.0 * g->default_limit_watts);
    return OK;
}
int nvmlDeviceGetTemperature(const gpu_t *g, int sensor, unsigned *out) {
    ENTER(g);
    if (sensor != 0) return INVALID;
    *out = (unsigned)g->temperature;
    return OK;
}
int nvmlDeviceGetClockInfo(const gpu_t *g, int kind, unsigned *out) {
    ENTER(g);
    if (kind != 1) return INVALID; /* only the SM clock is known */
    *out = (unsigned)g->clock;
    return OK;
}
int nvmlDeviceGetMaxClockInfo(const gpu_t *g, int kind, unsigned *out) {
    (void)kind;
    *out = (unsigned)g->max_clock;
    return OK;
}
static int set_clock(double clock, int kind, unsigned *out) {
    if (clock <= 0) return UNSUPPORTED;
    *out = kind == 2 ? 2619 : (unsigned)clock; /* the memory clock never changes */
    return OK;
}
int nvmlDeviceGetApplicationsClock(const gpu_t *g, int kind, unsigned *out) {
    return set_clock(g->app_clock, kind, out);
}
int nvmlDeviceGetDefaultApplicationsClock(const gpu_t *g, int kind, unsigned *out) {
    return set_clock(g->default_app_clock, kind, out);
}
int nvmlDeviceGetCurrentClocksThrottleReasons(const gpu_t *g, unsigned long long *out) {
    ENTER(g);
    *out = (unsigned long long)g->throttle;
    return OK;
}
#ifndef OLD_DRIVER
int nvmlDeviceGetCurrentClocksEventReasons(const gpu_t *g, unsigned long long *out) {
    return nvmlDeviceGetCurrentClocksThrottleReasons(g, out);
}
#endif

int nvmlDeviceGetCudaComputeCapability(const gpu_t *g, int *major, int *minor) {
    if (g->capability <= 0) return UNSUPPORTED;
    int tenths = (int)(10.0 * g->capability + 0.5);
    *major = tenths / 10;
    *minor = tenths % 10;
    return OK;
}

#if PROCESS_LISTS > 0
typedef struct {
    unsigned pid; unsigned long long memory;
#if PROCESS_LISTS >= 450
    unsigned gpu_instance, compute_instance;
#endif
#if PROCESS_LISTS == 535
    unsigned long long protected_memory;
#endif
} process_t;

#if PROCESS_LISTS >= 510
#define LIST(name) name##_v3
#elif PROCESS_LISTS >= 450
#define LIST(name) name##_v2
#else
#define LIST(name) name
#endif

int LIST(nvmlDeviceGetComputeRunningProcesses)(const gpu_t *g, unsigned *count, process_t *out) {
    ENTER(g);
    unsigned have = (unsigned)g->process_count, capacity = *count;
    *count = have;
    if (have > capacity) return TOO_SMALL;
    for (unsigned i = 0; i < have; i++) {
        memset(&out[i], 0, sizeof out[i]);
        out[i].pid = (unsigned)g->pids[i];
        out[i].memory = 1 << 20;
#if PROCESS_LISTS >= 450
        out[i].gpu_instance = out[i].compute_instance = ~0u;
#endif
    }
    return OK;
}
int LIST(nvmlDeviceGetGraphicsRunningProcesses)(const gpu_t *g, unsigned *count, process_t *out) {
    (void)out;
    ENTER(g);
    *count = 0;
    return OK;
}
#endif
