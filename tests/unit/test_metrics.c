/* tests/unit/test_metrics.c -- counting, the text format, and the little HTTP server. */
#include "io/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const methods[] = { "Hold", "Con\"fi\\rm\n" };
static const char *const reasons[] = { "OK", "INTERNAL", "OVERLOADED" };
static const struct metric_label labels[] = { { "method", methods, 2 }, { "reason", reasons, 3 } };

static char *printed(const struct metrics *metrics)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    metrics_print(metrics, out);
    fclose(out);
    return text;
}

static void the_text_is_as_prometheus_reads_it(void **state)
{
    static const int64_t bounds[] = { 10, 100 };
    struct metrics *metrics = metrics_new();
    struct metric *calls = metrics_counter(metrics, "calls_total", "Calls by outcome.", labels, 2);
    struct metric *depth = metrics_gauge(metrics, "queue_depth", "Waiting.", NULL, 0);
    struct metric *time = metrics_histogram(metrics, "batch_us", "Time.", bounds, 2, labels, 1);

    (void)state;
    metric_add(calls, 0, 0, 2);
    metric_add(calls, 1, 2, 1);
    metric_set(depth, 0, 0, 7);
    metric_add(depth, 0, 0, -3);
    metric_observe(time, 0, 0, 10);
    metric_observe(time, 0, 0, 11);
    metric_observe(time, 0, 0, 1000);
    char *text = printed(metrics);
    assert_string_equal(text, "# HELP calls_total Calls by outcome.\n"
                              "# TYPE calls_total counter\n"
                              "calls_total{method=\"Hold\",reason=\"OK\"} 2\n"
                              "calls_total{method=\"Con\\\"fi\\\\rm\\n\",reason=\"OVERLOADED\"} 1\n"
                              "# HELP queue_depth Waiting.\n"
                              "# TYPE queue_depth gauge\n"
                              "queue_depth 4\n"
                              "# HELP batch_us Time.\n"
                              "# TYPE batch_us histogram\n"
                              "batch_us_bucket{method=\"Hold\",le=\"10\"} 1\n"
                              "batch_us_bucket{method=\"Hold\",le=\"100\"} 2\n"
                              "batch_us_bucket{method=\"Hold\",le=\"+Inf\"} 3\n"
                              "batch_us_sum{method=\"Hold\"} 1021\n"
                              "batch_us_count{method=\"Hold\"} 3\n");
    free(text);
    metrics_free(metrics);
}

static void an_index_out_of_range_counts_nothing(void **state)
{
    struct metrics *metrics = metrics_new();
    struct metric *calls = metrics_counter(metrics, "calls_total", "Calls.", labels, 2);

    (void)state;
    metric_add(calls, 2, 0, 1);
    metric_add(calls, 0, 3, 1);
    metric_set(calls, 0, 0, 5);     /* a counter is not set */
    metric_observe(calls, 0, 0, 5); /* nor observed */
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(metric_value(calls, i, j), 0);
    }
    metrics_free(metrics);
}

static void the_number_of_series_is_bounded(void **state)
{
    static const char *many[1000];
    const struct metric_label wide[] = { { "a", many, 1000 }, { "b", many, 1000 } };
    struct metrics *metrics = metrics_new();

    (void)state;
    struct metric *refused = metrics_counter(metrics, "wide", "Too wide.", wide, 2);
    assert_null(refused);
    metric_add(refused, 0, 0, 1);
    assert_int_equal(metric_value(refused, 0, 0), 0);
    assert_null(metrics_counter(NULL, "none", "No metrics at all.", NULL, 0));
    metrics_free(metrics);
}

static void *count_up(void *metric)
{
    for (int i = 0; i < 100000; i++)
        metric_add(metric, 0, 0, 1);
    return NULL;
}

static void no_count_is_lost_between_threads(void **state)
{
    struct metrics *metrics = metrics_new();
    struct metric *count = metrics_counter(metrics, "n", "Counted.", NULL, 0);
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, count), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(metric_value(count, 0, 0), 400000);
    metrics_free(metrics);
}

static bool healthy_if(void *owner)
{
    return __atomic_load_n((bool *)owner, __ATOMIC_SEQ_CST);
}

/* The whole answer to one request over a plain socket. */
static void ask(uint16_t port, const char *request, char answer[4096])
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    size_t size = 0;
    ssize_t n;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(peer, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(peer, request, strlen(request)), (ssize_t)strlen(request));
    while ((n = read(peer, answer + size, 4095 - size)) > 0)
        size += (size_t)n;
    answer[size] = '\0';
    close(peer);
}

#define REQUEST(line) line " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

static void the_server_answers(void **state)
{
    char answer[4096], path[] = "/tmp/alliance-port-XXXXXX", text[16] = "";
    struct metrics *metrics = metrics_new();
    struct metric *count = metrics_counter(metrics, "served_total", "Served.", NULL, 0);
    struct error err = { 0 };
    uint16_t port = 0;
    bool healthy = false;
    int file = mkstemp(path);

    (void)state;
    metric_add(count, 0, 0, 42);
    assert_true(metrics_serve(metrics, "127.0.0.1:0", path, healthy_if, &healthy, &port, &err));
    close(file);
    FILE *written = fopen(path, "re");
    assert_non_null(fgets(text, sizeof text, written));
    fclose(written);
    unlink(path);
    assert_int_equal(atoi(text), port);

    ask(port, REQUEST("GET /metrics"), answer);
    assert_non_null(strstr(answer, "200 OK"));
    assert_non_null(strstr(answer, "text/plain; version=0.0.4"));
    assert_non_null(strstr(answer, "\nserved_total 42\n"));
    ask(port, REQUEST("GET /healthz"), answer);
    assert_non_null(strstr(answer, "503 Service Unavailable"));
    __atomic_store_n(&healthy, true, __ATOMIC_SEQ_CST);
    ask(port, REQUEST("GET /healthz"), answer);
    assert_non_null(strstr(answer, "200 OK"));
    ask(port, REQUEST("GET /etc/passwd"), answer);
    assert_non_null(strstr(answer, "404"));
    ask(port, REQUEST("POST /metrics"), answer);
    assert_non_null(strstr(answer, "405"));
    metrics_free(metrics);
}

static void a_bad_address_is_refused(void **state)
{
    static const char *const addresses[] = { "nowhere", "127.0.0.1:70000", "203.0.113.1:0" };
    struct metrics *metrics = metrics_new();
    struct error err = { 0 };
    uint16_t port;

    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        assert_false(metrics_serve(metrics, addresses[i], "", NULL, NULL, &port, &err));
        assert_int_equal(err.reason, REASON_SETTING_INVALID);
        assert_non_null(strstr(error_text(&err), addresses[i]));
    }
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_as_prometheus_reads_it),
        cmocka_unit_test(an_index_out_of_range_counts_nothing),
        cmocka_unit_test(the_number_of_series_is_bounded),
        cmocka_unit_test(no_count_is_lost_between_threads),
        cmocka_unit_test(the_server_answers),
        cmocka_unit_test(a_bad_address_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
