/* SPDX-License-Identifier: ISC */
/* page.h: what the page (www/) reads of dialects that files describe: how a client spells a
 * refresh, where its answer has the tokens, and what a token that is no good gets. Knows the format
 * of www/dialects.json (dialect/README); tells nothing that a client is not built with. */
#ifndef RETOKEN_ADMIN_DIALECT_PAGE_H
#define RETOKEN_ADMIN_DIALECT_PAGE_H

#include "base/json.h"
#include "process/config.h"

/* Adds a member for each endpoint that refreshes, unless its answers have no tokens that a page can
 * see. Its paths are those of the configuration, which may have none. */
void dialect_page_add(struct json_out *out, const struct dialect *dialect,
                      const struct config *config);

#endif
