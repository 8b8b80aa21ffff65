/* The simulated driver of the tests, with further functions that the peers call. */
#define nvmlDeviceGetFieldValues field_values_of_the_tests
#include "../../tests/simulated_nvml/driver.c"
#undef nvmlDeviceGetFieldValues

/* Field 185, the averaged power: what nvmlDeviceGetPowerUsage gives, for the scope of the GPU. */
int nvmlDeviceGetFieldValues(const gpu_t *g, int count, field_t *fields) {
    int answer = field_values_of_the_tests(g, count, fields);
    for (int i = 0; i < count && answer == OK; i++) {
        if (fields[i].id != 185 || fields[i].scope != 0 || g->has_average <= 0) continue;
        fields[i].status = g->forbidden > 0 ? FORBIDDEN : OK;
        fields[i].value.u = (unsigned)(1000.0 * power_at(g, now(), g->power_average));
    }
    return answer;
}

/* A GPU without a counter reports Pascal: some tools decide by the architecture, not the counter. */
int nvmlDeviceGetArchitecture(const gpu_t *g, unsigned *out) {
    ENTER(g);
    *out = g->has_counter > 0 ? 9 : 4;
    return OK;
}
int nvmlDeviceGetUtilizationRates(const gpu_t *g, unsigned *out) {
    ENTER(g);
    out[0] = out[1] = 50;
    return OK;
}
int nvmlDeviceGetComputeMode(const gpu_t *g, unsigned *out) {
    ENTER(g);
    *out = 0;
    return OK;
}
int nvmlDeviceGetEnforcedPowerLimit(const gpu_t *g, unsigned *out) {
    return nvmlDeviceGetPowerManagementLimit(g, out);
}
