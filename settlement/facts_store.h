/*
 * facts_store.h -- SQL of what a period knows besides redemptions: freight, campaigns, orders that are not delivered.
 * The caller begins and ends transactions.
 */
#ifndef SETTLEMENT_FACTS_STORE_H
#define SETTLEMENT_FACTS_STORE_H

#include "books.h"

struct db;

/*
 * FREIGHT, from merchants to carriers: shipments delivered by the period's last day that no other period has, each at
 * the rate in force on the day it was delivered. What is taken is marked in the transaction, and stays the period's.
 */
bool facts_store_freight(struct db *db, int32_t programme_no, struct books *books, struct error *err) MUST_USE;
/*
 * CAMPAIGN_SHARE, from funders to banks: what the points cost that holds drew in the period, less those that went back,
 * in parts by the shares of their funding. The parts of a funding add up to its whole cost, rounded half to even.
 */
bool facts_store_campaigns(struct db *db, int32_t programme_no, struct books *books, struct error *err) MUST_USE;
/* Keeps UNDELIVERED: the net of orders of merchants paid at delivery that were not delivered by the last day. */
bool facts_store_undelivered(struct db *db, int32_t programme_no, struct books *books, struct error *err) MUST_USE;

#endif
