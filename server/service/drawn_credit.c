/*
 * drawn_credit.c -- ReportDrawnCredit: what a bank's members owe in points, by its age.
 *
 * A whole bank is summed up bucket by bucket in the database; the answer has one entry a class of age.
 */
#include "service/bank_handlers.h"

#include "engine/reference.h"
#include "service/check.h"
#include "service/errand.h"
#include "service/shape.h"
#include "store/credit_store.h"

#include <alliance/v1/bank_service.pb-c.h>

typedef Alliance__V1__ReportDrawnCreditRequest Asked;
typedef Alliance__V1__ReportDrawnCreditResponse Reply;
typedef Alliance__V1__DrawnCreditClass Class;

/* The first day of each class. */
static const int64_t first_days[] = { 0, 31, 61, 91, 181, 366 };

struct report {
    struct credit_sum_row sum;
    struct {
        int64_t points, members;
    } classes[COUNT(first_days)];
};

static bool add_bucket(struct errand *errand, const struct credit_params *params, struct report *report,
                       struct error *err)
{
    struct arena *arena = &errand->call->arena;
    struct credit_sum_row sum;
    size_t count;
    void *fetched;
    bool found;

    if (!db_fetch_one(errand->db, &credit_sum, params, arena, &sum, &found, err) ||
        !db_fetch(errand->db, &credit_by_age, params, arena, &fetched, &count, err))
        return false;
    const struct credit_age_row *rows = fetched;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].class_no < 1 || rows[i].class_no > (int32_t)COUNT(first_days))
            return error_set(err, REASON_INTERNAL, "drawn credit of no age");
        report->classes[rows[i].class_no - 1].points += rows[i].points;
        report->classes[rows[i].class_no - 1].members += rows[i].members;
    }
    if (!found)
        return error_set(err, REASON_INTERNAL, "a bucket has no fence of the bank's programme");
    /* While a day is being closed buckets differ; the first one's date is as good as any. */
    if (params->bucket == 0)
        report->sum.business_date = sum.business_date;
    report->sum.used_points += sum.used_points;
    report->sum.used_members += sum.used_members;
    report->sum.over_points += sum.over_points;
    report->sum.over_members += sum.over_members;
    return true;
}

static Class *shape_class(struct arena *arena, const struct report *report, size_t i)
{
    Class *class = shape_new(arena, &alliance__v1__drawn_credit_class__descriptor);

    if (!class)
        return NULL;
    class->from_days = (int32_t)first_days[i];
    class->to_days = (int32_t)(i + 1 < COUNT(first_days) ? first_days[i + 1] - 1 : 0);
    class->points = report->classes[i].points;
    class->members = report->classes[i].members;
    return class;
}

static bool shape_report(struct errand *errand, const struct report *report, struct error *err)
{
    struct arena *arena = &errand->call->arena;
    Reply *reply = errand_reply(errand, &alliance__v1__report_drawn_credit_response__descriptor, err);

    if (!reply)
        return false;
    reply->business_date = shape_date(arena, report->sum.business_date);
    reply->used_points = report->sum.used_points;
    reply->used_members = report->sum.used_members;
    reply->over_limit_points = report->sum.over_points;
    reply->over_limit_members = report->sum.over_members;
    reply->classes = arena_alloc(arena, COUNT(first_days) * sizeof *reply->classes);
    if (!reply->business_date || !reply->classes)
        return errand_no_room(err);
    for (; reply->n_classes < COUNT(first_days); reply->n_classes++) {
        if (!(reply->classes[reply->n_classes] = shape_class(arena, report, reply->n_classes)))
            return errand_no_room(err);
    }
    return true;
}

static bool report_work(struct errand *errand, struct error *err)
{
    const Asked *asked = (const Asked *)errand->request;
    const struct bank *bank = reference_bank(errand->reference, asked->bank_id);
    struct report report = { 0 };

    if (!bank)
        return error_field(err, REASON_BANK_NOT_FOUND, "bank_id", "%s", "");
    for (int32_t bucket = 0; bucket < errand->reference->buckets; bucket++) {
        const struct credit_params params = { bucket, bank->no, { first_days, COUNT(first_days) } };
        if (call_cancelled(errand->call))
            return error_set(err, REASON_CANCELLED, "%s", "");
        if (!add_bucket(errand, &params, &report, err))
            return false;
    }
    return shape_report(errand, &report, err);
}

bool bank_report_drawn_credit(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Asked *asked = (const Asked *)request;

    return check_own(call, "bank_id", asked->bank_id, err) && check_id("bank_id", asked->bank_id, err) &&
           errand_read(call, request, report_work, err);
}
