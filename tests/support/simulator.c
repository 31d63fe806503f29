#include "simulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 24, PATIENCE_MS = 20000, STEP_MS = 5 };

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static pid_t spawn(const char *path, char *const *argv, char *const *environment)
{
    pid_t parent = getpid(), pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    execve(path, argv, environment);
    _exit(127);
}

static uint16_t read_port(const char *path)
{
    unsigned port = 0;
    FILE *file = fopen(path, "re");

    if (file && fscanf(file, "%u", &port) != 1)
        port = 0;
    if (file)
        fclose(file);
    return (uint16_t)port;
}

/* Bounded: a child that ends or stays silent fails the test. */
static void await_port(struct simulator *child, const char *name)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        child->port = read_port(child->port_file);
        if (child->port)
            return;
        if (waitpid(child->pid, NULL, WNOHANG) == child->pid) {
            child->pid = 0;
            fail_msg("%s ended before it listened", name);
        }
        pause_ms(STEP_MS);
    }
    fail_msg("%s does not listen", name);
}

void program_port_file(struct simulator *program)
{
    static int made;

    snprintf(program->port_file, sizeof program->port_file, "/tmp/alliance-%d-%d.port", (int)getpid(), ++made);
    unlink(program->port_file);
}

void simulator_start(struct simulator *simulator, const char *name, uint16_t port, const char *const *arguments)
{
    char script[512], port_text[8];
    const char *argv[ARGUMENTS_MAX] = { "python3", script, "--port", port_text, "--port-file", simulator->port_file };
    size_t n = 6;

    program_port_file(simulator);
    snprintf(script, sizeof script, "%s/tests/simulators/%s", SOURCE_DIR, name);
    snprintf(port_text, sizeof port_text, "%u", (unsigned)port);
    for (size_t i = 0; arguments && arguments[i]; i++) {
        assert_true(n < ARGUMENTS_MAX - 1);
        argv[n++] = arguments[i];
    }
    simulator->pid = spawn("/usr/bin/python3", (char *const *)(uintptr_t)argv, environ);
    await_port(simulator, name);
}

static int end(struct simulator *child)
{
    int status = 0;

    if (child->pid == 0)
        return 0;
    kill(child->pid, SIGTERM);
    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        if (waitpid(child->pid, &status, WNOHANG) == child->pid) {
            child->pid = 0;
            unlink(child->port_file);
            return status;
        }
        pause_ms(STEP_MS);
    }
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    child->pid = 0;
    fail_msg("a child process does not end");
    return -1;
}

void simulator_stop(struct simulator *simulator)
{
    end(simulator);
}

void program_launch(struct simulator *program, const char *path, const char *const *environment)
{
    const char *const argv[] = { path, NULL };

    if (access(path, X_OK) != 0)
        fail_msg("%s is not built", path);
    program->pid = spawn(path, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
    await_port(program, path);
}

int program_terminate(struct simulator *program)
{
    int status = end(program);

    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static size_t append(char *bytes, size_t size, size_t count, void *out)
{
    return fwrite(bytes, size, count, out) * size;
}

json_t *simulator_get(const struct simulator *simulator, const char *path)
{
    char url[128], *text = NULL;
    size_t size = 0;
    json_error_t where;
    FILE *out = open_memstream(&text, &size);
    CURL *curl = curl_easy_init();

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", simulator->port, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    fclose(out);
    json_t *json = code == CURLE_OK ? json_loads(text, 0, &where) : NULL;
    free(text);
    if (!json)
        fail_msg("the simulator does not answer %s", path);
    return json;
}
