/*
 * operator_merchant.c -- RegisterMerchant and PublishTerms.
 */
#include "service/operator_handlers.h"

#include "engine/reference.h"
#include "io/clock.h"
#include "service/check.h"
#include "service/merchant_registration.h"
#include "service/publication.h"
#include "service/shape.h"
#include "store/db.h"
#include "store/registry_store.h"

#include <string.h>

typedef Alliance__V1__Merchant Merchant;
typedef Alliance__V1__Terms Terms;
typedef Alliance__V1__PublishTermsRequest Publish;

/* Register */

static Terms *first_terms(struct arena *arena, const Merchant *asked, struct instant effective_from)
{
    Terms *terms = shape_new(arena, &alliance__v1__terms__descriptor);

    if (!terms)
        return NULL;
    *terms = *asked->terms;
    terms->merchant_id = asked->merchant_id;
    terms->version = 1;
    terms->effective_from = shape_instant(arena, effective_from);
    return terms->effective_from ? terms : NULL;
}

static Alliance__V1__Webhook *without_secret(struct arena *arena, const Alliance__V1__Webhook *asked)
{
    Alliance__V1__Webhook *webhook = shape_new(arena, &alliance__v1__webhook__descriptor);

    if (webhook)
        webhook->url = asked->url;
    return webhook;
}

static bool register_work(struct errand *errand, struct error *err)
{
    const Merchant *asked = ((const Alliance__V1__RegisterMerchantRequest *)errand->request)->merchant;
    struct arena *arena = &errand->call->arena;
    struct merchant_registered registered;

    if (!merchant_register(errand, asked, &registered, err))
        return err->field[0] ? check_within(err, "merchant") : false;
    Merchant *reply = errand_reply(errand, &alliance__v1__merchant__descriptor, err);
    if (!reply)
        return false;
    *reply = *asked;
    reply->terms = first_terms(arena, asked, registered.effective_from);
    if (asked->webhook)
        reply->webhook = without_secret(arena, asked->webhook);
    return (reply->terms && !reply->webhook == !asked->webhook) || errand_no_room(err);
}

bool operator_register_merchant(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    const Merchant *merchant = ((const Alliance__V1__RegisterMerchantRequest *)request)->merchant;

    if (!check_set("merchant", merchant, err))
        return false;
    if (!merchant_check(call->office, merchant, err))
        return check_within(err, "merchant");
    return errand_write(call, request, register_work, err);
}

/* Terms */

static bool read_publish(const Publish *asked, struct terms *terms, struct uuid *request_id, struct error *err)
{
    if (!check_set("terms", asked->terms, err))
        return false;
    if (!check_id("merchant_id", asked->terms->merchant_id, err) || !terms_read(asked->terms, terms, err))
        return check_within(err, "terms");
    return check_request_id(asked->request_id, clock_now(), request_id, err);
}

static bool reply_terms(struct errand *errand, const struct publication *publication, const Terms *terms,
                        struct error *err)
{
    Terms *reply = errand_reply(errand, &alliance__v1__terms__descriptor, err);

    if (!reply)
        return false;
    *reply = *terms;
    reply->version = publication->version;
    reply->effective_from = shape_instant(&errand->call->arena, publication->effective_from);
    return reply->effective_from || errand_no_room(err);
}

static bool publish_work(struct errand *errand, struct error *err)
{
    const Publish *asked = (const Publish *)errand->request;
    const struct merchant *merchant = reference_merchant(errand->reference, asked->terms->merchant_id);
    struct publication publication = { .find = &registry_find_terms, .last = &registry_last_terms, .within = "terms" };
    struct terms terms;

    if (!merchant)
        return error_field(err, REASON_MERCHANT_NOT_FOUND, "terms.merchant_id", "there is no such merchant");
    if (!read_publish(asked, &terms, &publication.request_id, err) ||
        !shape_hash("terms", errand->request, publication.hash, err))
        return false;
    struct instant asked_from = terms.effective_from;
    publication.owner = merchant->no;
    publication.programme_no = merchant->programme_no;
    publication.asked = asked->terms->effective_from ? &asked_from : NULL;
    if (!publication_decide(errand, &publication, err))
        return false;
    terms.version = publication.version;
    terms.effective_from = publication.effective_from;
    if (!publication.repeated &&
        !terms_write(errand, merchant->no, &terms, &publication.request_id, publication.hash, err))
        return false;
    return reply_terms(errand, &publication, asked->terms, err);
}

bool operator_publish_terms(struct call *call, const ProtobufCMessage *request, struct error *err)
{
    struct terms terms;
    struct uuid request_id;

    return read_publish((const Publish *)request, &terms, &request_id, err) &&
           errand_write(call, request, publish_work, err);
}
