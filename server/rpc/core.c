/* What must be said to the gRPC core once, before anything else. */
#include "rpc/internal.h"

#include <dlfcn.h>
#include <grpc/support/log.h>

/* The core's log is one for the whole process and hands no context on; so this is the one global of the layer. */
static void (*_Atomic core_log)(const char *message);

static void pass_on(gpr_log_func_args *args)
{
    void (*log)(const char *message) = core_log;

    if (log && args->severity == GPR_LOG_SEVERITY_ERROR)
        log(args->message);
}

/*
 * Debian builds absl with its lock-order detector on: a tenth of every call's time, and an abort for a mere suspicion.
 * C cannot include its header, so the switch is looked up by its mangled name, and left alone where there is none.
 */
static void quiet_deadlock_detector(void)
{
    union {
        void *symbol;
        void (*set)(int mode);
    } detector = { dlsym(RTLD_DEFAULT, "_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE") };

    if (detector.symbol)
        detector.set(0);
}

void rpc_core_init(void (*on_log)(const char *message))
{
    quiet_deadlock_detector();
    core_log = on_log;
    gpr_set_log_function(pass_on);
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
    grpc_init();
}

void rpc_core_shutdown(void)
{
    grpc_shutdown();
}
