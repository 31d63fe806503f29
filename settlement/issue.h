/*
 * issue.h -- makes an approved period final: every file on disk against the manifest, the manifest against what was
 * approved, a signature beside it, and from then on nothing changes.
 *
 * manifest.json.p7s is a detached CMS signature over manifest.json. Its signed time is that of the approval, so that it
 * does not depend on when, or how often, this was run; a signature that is there and right is kept.
 */
#ifndef SETTLEMENT_ISSUE_H
#define SETTLEMENT_ISSUE_H

#include "close.h"
#include "domain/period.h"
#include "io/cms.h"

struct period_issued {
    bool already;       /* it was issued before; its files were checked all the same */
    int64_t file_count; /* named by the manifest, all as they should be */
};

/*
 * The run is one that close_begin has begun; statements_dir is DIR of files.h. PERIOD_NOT_APPROVED; FILES_CHANGED names
 * the first file that differs, and takes the approval away.
 */
bool period_issue(struct close_run *run, const struct period *period, const char *statements_dir,
                  const struct cms_signer *signer, struct period_issued *issued, struct error *err) MUST_USE;

#endif
