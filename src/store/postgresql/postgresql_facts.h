/* SPDX-License-Identifier: ISC */
/* postgresql_facts.h: what a store of this kind says about itself: in numbers, and as an operator
 * looks at it. As store_facts and store_remarks in store.h. */
#ifndef RETOKEN_STORE_POSTGRESQL_POSTGRESQL_FACTS_H
#define RETOKEN_STORE_POSTGRESQL_POSTGRESQL_FACTS_H

#include "store/store.h"

enum store_result postgresql_facts_list(struct store *store,
                                        struct store_fact facts[STORE_FACTS_MAX], size_t *count,
                                        struct fault *fault);
enum store_result postgresql_facts_remarks(struct store *store,
                                           struct store_remark remarks[STORE_REMARKS_MAX],
                                           size_t *count, struct fault *fault);

#endif
