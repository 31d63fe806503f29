/*
 * merchant_registration.h -- one merchant with its stores, first terms and webhook: what RegisterMerchant does once and
 * ImportMerchants many times in one transaction.
 */
#ifndef SERVICE_MERCHANT_REGISTRATION_H
#define SERVICE_MERCHANT_REGISTRATION_H

#include "base/when.h"
#include "service/errand.h"

#include <alliance/v1/operator_service.pb-c.h>

struct office;

/* The shape of terms; *effective_from is set when they name one. Fields are named within the terms. */
bool terms_check(const Alliance__V1__Terms *terms, struct instant *effective_from, struct error *err) MUST_USE;
/* The shape of a merchant; fields are named within it. */
bool merchant_check(const struct office *office, const Alliance__V1__Merchant *merchant, struct error *err) MUST_USE;

struct merchant_registered {
    bool created;                  /* false: it was there already, just so */
    struct instant effective_from; /* of its first terms */
};
/* Writes a merchant that merchant_check liked. ALREADY_REGISTERED when it is there with other content. */
bool merchant_register(struct errand *errand, const Alliance__V1__Merchant *merchant,
                       struct merchant_registered *registered, struct error *err) MUST_USE;

#endif
