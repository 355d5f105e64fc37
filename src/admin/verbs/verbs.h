/* SPDX-License-Identifier: ISC */
/* verbs.h: what the rows of the table in main.c call, by file. Each does one
 * thing, prints it, and returns the exit status. */
#ifndef RETOKEN_ADMIN_VERBS_VERBS_H
#define RETOKEN_ADMIN_VERBS_VERBS_H

#include "admin/call.h"

enum call_end init_run(struct call *call);
enum call_end doctor_run(struct call *call);
enum call_end explain_run(struct call *call);
enum call_end notify_run(struct call *call);

enum call_end verbs_account_add(struct call *call);
enum call_end verbs_account_set(struct call *call);
enum call_end verbs_account_passwd(struct call *call);
enum call_end verbs_account_list(struct call *call);
enum call_end verbs_account_show(struct call *call);
enum call_end verbs_account_disable(struct call *call);
enum call_end verbs_account_enable(struct call *call);
enum call_end verbs_account_remove(struct call *call);
enum call_end verbs_account_import(struct call *call);
enum call_end verbs_account_export(struct call *call);
enum call_end verbs_account_unlock(struct call *call);

enum call_end verbs_client_add(struct call *call);
enum call_end verbs_client_secret(struct call *call);
/* A secret into `secret` (hash only): the one in --secret-file, or a generated one, which is shown
 * too ("" otherwise). CALL_DONE, or the end with its reason said. */
enum call_end verbs_client_secret_read(struct call *call, struct client_secret *secret,
                                       char shown[44]);
/* Takes the options of `client set` into the client. CALL_DONE, or the end with its reason said. */
enum call_end verbs_client_read(struct call *call, struct client *client);
/* Writes the client back, if it is still as it was read. CALL_DONE, or the end with its reason
 * said. */
enum call_end verbs_client_update(struct call *call, const struct client *before,
                                  const struct client *after, const char *what);
enum call_end verbs_client_disable(struct call *call);
enum call_end verbs_client_enable(struct call *call);
enum call_end verbs_client_list(struct call *call);
enum call_end verbs_client_remove(struct call *call);
enum call_end verbs_client_set(struct call *call);
enum call_end verbs_client_show(struct call *call);
enum call_end verbs_client_unlock(struct call *call);

enum call_end verbs_delivery_dead(struct call *call);
enum call_end verbs_delivery_retry(struct call *call);

enum call_end verbs_dialect_list(struct call *call);
enum call_end verbs_dialect_check(struct call *call);
enum call_end verbs_dialect_try(struct call *call);
enum call_end verbs_dialect_learn(struct call *call);
enum call_end verbs_dialect_test(struct call *call);

enum call_end verbs_session_create(struct call *call);
enum call_end verbs_session_import(struct call *call);
/* The mount of --mount, which takes refresh tokens. CALL_DONE, or the end with its reason said. */
enum call_end verbs_session_mount(struct call *call, const struct mount **mount);
/* "live", "expired", or how it ended or what it waits for, as far as its own record says. */
const char *verbs_session_state(const struct session *session, int64_t now_ms);
enum call_end verbs_session_export(struct call *call);
enum call_end verbs_session_list(struct call *call);
enum call_end verbs_session_show(struct call *call);
enum call_end verbs_session_revoke(struct call *call);

/* All keys of the store, KEY_NEED_ROWS_MAX at most, in the call's arena. NULL: *end, with its
 * reason said. */
struct signing_row *verbs_key_rows(struct call *call, size_t *count, enum call_end *end);
/* The row of that kid; NULL: there is none. */
struct signing_row *verbs_key_find(struct signing_row *rows, size_t count, const char *kid);
/* The key for scripts; nothing for people. */
void verbs_key_record(struct call *call, const struct signing_row *row);
/* For how long what this key signed may be asked after, once another signs: the longest life of an
 * access token, the time in which clients may log in with an expired one, and what clocks
 * differ by. False with *fault: the store cannot be read. */
bool verbs_key_keep_ms(struct call *call, const struct signing_row *row, int64_t *keep_ms,
                       struct fault *fault);
enum call_end verbs_key_add(struct call *call);
enum call_end verbs_key_list(struct call *call);
enum call_end verbs_key_import(struct call *call);
enum call_end verbs_key_export(struct call *call);
enum call_end verbs_key_rotate(struct call *call);
enum call_end verbs_key_activate(struct call *call);
enum call_end verbs_key_retire(struct call *call);

enum call_end verbs_secret_list(struct call *call);
enum call_end verbs_secret_retire(struct call *call);
enum call_end verbs_secret_rotate(struct call *call);

enum call_end verbs_store_stat(struct call *call);
enum call_end verbs_store_check(struct call *call);
enum call_end verbs_store_backup(struct call *call);
enum call_end verbs_store_restore(struct call *call);
enum call_end verbs_store_prune(struct call *call);
enum call_end verbs_store_copy(struct call *call);

enum call_end verbs_event_list(struct call *call);
enum call_end verbs_event_follow(struct call *call);
enum call_end verbs_event_summary(struct call *call);
enum call_end verbs_event_verify(struct call *call);

#endif
