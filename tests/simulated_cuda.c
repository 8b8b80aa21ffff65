/* A simulated CUDA driver with two devices, of which only the first has a primary context.
 *
 * It prints each call that uses a context. SIMULATED_CUDA_INITIALISED=0: cuInit was not called.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int initialised(void) {
    const char *setting = getenv("SIMULATED_CUDA_INITIALISED");
    return !setting || strcmp(setting, "0");
}
static int said(const char *call, int device) {
    printf("%s %d\n", call, device);
    fflush(stdout);
    return 0;
}
static int current = -1;

int cuDeviceGetCount(int *count) { *count = 2; return initialised() ? 0 : 3; }
int cuDeviceGet(int *device, int index) { *device = index; return 0; }
int cuDeviceGetUuid(unsigned char *out, int device) {
    memset(out, 0xAA, 16);
    memset(out, 0, 4);
    out[3] = (unsigned char)device;
    return 0;
}
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
    *flags = 0;
    *active = device == 0;
    return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
    *context = (void *)(long)(device + 1);
    return said("retain", device);
}
int cuDevicePrimaryCtxRelease_v2(int device) { return said("release", device); }
int cuCtxPushCurrent_v2(void *context) { current = (int)(long)context - 1; return said("push", current); }
int cuCtxSynchronize(void) { return said("synchronize", current); }
int cuCtxPopCurrent_v2(void **context) { *context = NULL; return said("pop", current); }
