/*
 * merchant_registration.h -- one merchant with its stores, first terms and webhook: what RegisterMerchant does once and
 * ImportMerchants many times in one transaction.
 */
#ifndef SERVICE_MERCHANT_REGISTRATION_H
#define SERVICE_MERCHANT_REGISTRATION_H

#include "domain/rules.h"
#include "io/crypto.h"
#include "service/errand.h"

#include <alliance/v1/operator_service.pb-c.h>

struct office;

/* Checks the shape of terms; effective_from is 0 when they name none. Fields are named within the terms. */
bool terms_read(const Alliance__V1__Terms *asked, struct terms *terms, struct error *err) MUST_USE;
/* request_id is zero for a merchant's first terms. */
bool terms_write(struct errand *errand, int32_t merchant_no, const struct terms *terms, const struct uuid *request_id,
                 const uint8_t hash[CRYPTO_HASH], struct error *err) MUST_USE;
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
