/* SPDX-License-Identifier: ISC */
/* account.c: `retoken account …`. Knows accounts and that their sessions end with a password;
 * does not know how either is kept. */
#include "admin/verbs/verbs.h"

#include <stdio.h>
#include <string.h>

#include "admin/prompt.h"
#include "base/secret.h"
#include "operation/guess.h"
#include "operation/password.h"

static const struct column columns[] = {
    {"name", "name", COLUMN_TEXT, false},
    {"number", "number", COLUMN_NUMBER, true},
    {"enabled", "enabled", COLUMN_FLAG, false},
    {"password", "password", COLUMN_FLAG, false},
    {"subject", "subject", COLUMN_TEXT, true},
    {"roles", "roles", COLUMN_WORDS, false},
    {"claims", "claims", COLUMN_JSON, true},
    {"session_limit", "session limit", COLUMN_NUMBER, true},
    {"keep_sessions", "sessions outlive password", COLUMN_FLAG, true},
    {"created", "created", COLUMN_TIME, false},
    {"last_login", "last login", COLUMN_TIME, true},
    {"wrong_passwords", "wrong passwords", COLUMN_NUMBER, true},
    {"refused_until", "refused until", COLUMN_TIME, true},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], PAGE = 64 };

static void fill(const struct call *call, const struct account *account,
                 struct cell cells[COLUMNS]);
static enum call_end update(struct call *call, const struct account *before,
                            const struct account *account, const char *cause, const char *note);
static enum call_end update_and_end(struct call *call, const struct account *before,
                                    const struct account *account, const char *cause,
                                    const char *note, size_t *count);
static enum call_end updated(struct call *call, const struct account *account,
                             enum store_result result, const struct fault *fault);
static enum call_end read_facts(struct call *call, struct account *account);
static enum call_end read_rules(const struct call *call, struct account *account);
static enum call_end read_roles(struct call *call, struct account *account);
static enum call_end read_claims(struct call *call, struct account *account);
static json_t *claims_of_file(struct call *call, struct fault *fault);
static bool claimed(const struct call *call, struct text key, size_t at);
static void add_claim(struct json_out *out, struct text name, struct text value);
static bool both_on_stdin(const struct call *call);
static const struct call_lengths password_lengths = {8, 1}; /* NIST SP 800-63B section 5.1.1.2 */
static enum call_end read_password(struct call *call, struct account *account);

enum call_end verbs_account_list(struct call *call)
{
    struct account *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    struct fault fault = {"out of memory"};
    size_t count = PAGE;
    const char *after = NULL;

    output_table_start(&call->output, columns, COLUMNS);
    while (count == PAGE) {
        if (rows == NULL || store_account_list(call->service.store, after, rows, PAGE, &count,
                                               &fault) != STORE_OK) {
            return call_fault(call, &fault);
        }
        for (size_t i = 0; i < count; i++) {
            struct cell cells[COLUMNS];

            fill(call, &rows[i], cells);
            output_row(&call->output, cells);
        }
        /* a copy: the rows it is in are filled again */
        after = count > 0 ? arena_c_string(call->arena, text_of(rows[count - 1].name)) : NULL;
    }
    output_table_end(&call->output, "no accounts; `retoken account add NAME` makes one");
    return CALL_DONE;
}

enum call_end verbs_account_show(struct call *call)
{
    struct account account;
    enum call_end end = call_account(call, call_argument(call, 0), &account);

    if (end == CALL_DONE) {
        struct cell cells[COLUMNS];

        fill(call, &account, cells);
        output_record(&call->output, columns, COLUMNS, cells);
    }
    return end;
}

/* Of wrong passwords, those beside an access token; one beside a refresh token is its session's. */
static void fill(const struct call *call, const struct account *account, struct cell cells[COLUMNS])
{
    struct mark mark;
    int64_t wait_ms;

    if (!guess_mark(&call->service.secrets, GUESS_LOGIN, text_of(account->name), 0, &mark) ||
        store_mark_find(call->service.store, MARK_FAILURE, mark.hash, call->now_ms, &mark, NULL) !=
            STORE_OK) {
        mark.count = 0;
    }
    wait_ms = guess_wait_ms(&mark, GUESS_FREE, call->now_ms);
    const struct cell row[COLUMNS] = {
        CELL_TEXT(text_of(account->name)),
        CELL_NUMBER(account->number),
        CELL_NUMBER(account->enabled),
        CELL_NUMBER(account->password[0] != '\0'),
        CELL_TEXT(text_of(account->subject)),
        CELL_TEXT(text_of(account->roles)),
        CELL_TEXT(text_of(account->claims)),
        CELL_NUMBER(account->session_limit),
        CELL_NUMBER(account->keep_on_password_change),
        CELL_NUMBER(account->created_ms),
        CELL_NUMBER(account->last_login_ms),
        CELL_NUMBER(mark.count),
        CELL_NUMBER(wait_ms > 0 ? call->now_ms + wait_ms : 0),
    };

    memcpy(cells, row, sizeof row);
}

/* ---- verbs that change ---- */

enum call_end verbs_account_add(struct call *call)
{
    struct account account = {.enabled = true, .created_ms = call->now_ms};
    struct text name = text_of(call_argument(call, 0));
    struct store_write write;
    struct fault fault = {0};

    if (!account_name_is_good(name) || !text_copy(name, account.name, sizeof account.name)) {
        return call_wrong(call, ACCOUNT_NAME_RULE, ACCOUNT_NAME_MAX);
    }
    if (both_on_stdin(call)) {
        return call_wrong(call, "claims and password cannot both come from standard input");
    }
    struct account there;
    if (store_account_find(call->service.store, account.name, &there, NULL) == STORE_OK) {
        return call_refuse(call,
                           "account %s exists; choose another name, or change it "
                           "with `retoken account set` or `passwd`",
                           account.name);
    }
    enum call_end end = read_facts(call, &account);
    end = end == CALL_DONE ? read_password(call, &account) : end;
    if (end != CALL_DONE) {
        return end;
    }
    store_prepare_account_add(&write, &account);
    call_attach(call, &write, EVENT_ACCOUNT, 0, NULL, "added", "added");
    switch (store_write(call->service.store, &write, &fault)) {
    case STORE_OK:
        break;
    case STORE_EXISTS:
        return call_refuse(call, "account %s exists", account.name);
    case STORE_ABSENT:
    case STORE_STALE:
    case STORE_FAULT:
        return call_fault(call, &fault);
    }
    output_say(&call->output, "account %s added", account.name);
    return CALL_DONE;
}

enum call_end verbs_account_set(struct call *call)
{
    struct account before;
    struct account account;

    if (options_outside(&call->options, OPTION_BIT(CONFIG)) == NULL) {
        return call_wrong(call, "nothing to set: give --role, --subject, --claim, --claims-file, "
                                "--session-limit or --on-password-change");
    }
    enum call_end end = call_account(call, call_argument(call, 0), &before);
    account = before;
    end = end == CALL_DONE ? read_facts(call, &account) : end;
    end = end == CALL_DONE ? read_rules(call, &account) : end;
    end = end == CALL_DONE ? update(call, &before, &account, "changed", "changed") : end;
    if (end == CALL_DONE) {
        output_say(&call->output,
                   "account %s changed; access tokens show it from their next renewal",
                   account.name);
    }
    return end;
}

enum call_end verbs_account_passwd(struct call *call)
{
    struct account before = {0};
    struct account account;
    size_t count = 0;
    enum call_end end = call_account(call, call_argument(call, 0), &account);

    end = end == CALL_DONE ? read_password(call, &account) : end;
    /* read again: the prompt may have taken long, and the account may have changed meanwhile */
    end = end == CALL_DONE ? call_account(call, call_argument(call, 0), &before) : end;
    if (end == CALL_DONE) {
        struct account after = before;

        memcpy(after.password, account.password, sizeof after.password);
        account = after;
        end = account.keep_on_password_change
                  ? update(call, &before, &account, "password-change", "password changed")
                  : update_and_end(call, &before, &account, "password-change", "password changed",
                                   &count);
    }
    if (end == CALL_DONE) {
        output_say(&call->output, "password of %s changed; %zu session%s ended", account.name,
                   count, count == 1 ? "" : "s");
    }
    return end;
}

/* Its sessions end with it, or they would be accepted again when it is enabled (ASVS 7.4.2). */
enum call_end verbs_account_disable(struct call *call)
{
    struct account before;
    struct account account;
    bool keep = options_has(&call->options, OPTION_KEEP_SESSIONS);
    size_t count = 0;
    enum call_end end = call_account(call, call_argument(call, 0), &before);

    account = before;
    account.enabled = false;
    if (end == CALL_DONE && keep) {
        end = before.enabled ? update(call, &before, &account, "disabled", "disabled") : end;
    } else if (end == CALL_DONE) {
        end = update_and_end(call, &before, &account, "disabled", "disabled", &count);
    }
    if (end == CALL_DONE && keep) {
        output_say(&call->output,
                   "account %s disabled; its sessions are refused until it is enabled",
                   account.name);
    } else if (end == CALL_DONE) {
        output_say(&call->output, "account %s disabled; %zu session%s ended", account.name, count,
                   count == 1 ? "" : "s");
    }
    return end;
}

enum call_end verbs_account_enable(struct call *call)
{
    struct account before;
    struct account account;
    enum call_end end = call_account(call, call_argument(call, 0), &before);

    account = before;
    if (end == CALL_DONE && !account.enabled) {
        account.enabled = true;
        end = update(call, &before, &account, "enabled", "enabled");
    }
    if (end == CALL_DONE) {
        output_say(&call->output, "account %s enabled", account.name);
    }
    return end;
}

/* Writes the account back, if it is still as it was read, with the event. */
static enum call_end update(struct call *call, const struct account *before,
                            const struct account *account, const char *cause, const char *note)
{
    struct store_write write;
    struct fault fault = {0};
    enum store_result result;

    store_prepare_account_update(&write, before, account);
    call_attach(call, &write, EVENT_ACCOUNT, account->number, NULL, cause, note);
    result = store_write(call->service.store, &write, &fault);
    return updated(call, account, result, &fault);
}

/* The same, and ends its sessions in that commit; *count = how many. */
static enum call_end update_and_end(struct call *call, const struct account *before,
                                    const struct account *account, const char *cause,
                                    const char *note, size_t *count)
{
    struct store_write write;
    struct fault fault = {0};
    enum store_result result;

    store_prepare_account_update_and_end(&write, before, account, SESSION_ENDED_ACCOUNT,
                                         call->now_ms);
    call_attach(call, &write, EVENT_REVOKED, account->number, NULL, cause,
                "all sessions of the account");
    if (note != NULL) {
        call_attach(call, &write, EVENT_ACCOUNT, account->number, NULL, cause, note);
    }
    result = store_write_and_mark(call->service.store, &write, count, &fault);
    return updated(call, account, result, &fault);
}

static enum call_end updated(struct call *call, const struct account *account,
                             enum store_result result, const struct fault *fault)
{
    switch (result) {
    case STORE_OK:
        return CALL_DONE;
    case STORE_ABSENT:
        return call_refuse(call, "account %s was removed meanwhile", account->name);
    case STORE_STALE:
        return call_refuse(call, "account %s was changed by another process meanwhile; try again",
                           account->name);
    case STORE_EXISTS:
    case STORE_FAULT:
        break;
    }
    return call_fault(call, fault);
}

/* First it is disabled and its sessions end, in one commit; then their records say so; then it is
 * gone. So it can be killed anywhere and repeated, by the name that leads to them until the end. */
enum call_end verbs_account_remove(struct call *call)
{
    struct account before;
    struct account account;
    struct store_write write;
    struct fault fault = {0};
    size_t count = 0;
    enum call_end end = call_account(call, call_argument(call, 0), &before);

    account = before;
    account.enabled = false;
    end = end == CALL_DONE ? update_and_end(call, &before, &account, "removed", NULL, &count) : end;
    if (end != CALL_DONE) {
        return end;
    }
    store_prepare_account_remove(&write, account.name);
    call_attach(call, &write, EVENT_ACCOUNT, account.number, NULL, "removed", "removed");
    switch (store_write(call->service.store, &write, &fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return call_refuse(call, "account %s was removed meanwhile", account.name);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return call_fault(call, &fault);
    }
    output_say(&call->output, "account %s removed; %zu session%s ended", account.name, count,
               count == 1 ? "" : "s");
    return CALL_DONE;
}

/* ---- the options of an account ---- */

/* Subject, roles and claims as far as options give them; the rest is unchanged. */
static enum call_end read_facts(struct call *call, struct account *account)
{
    enum call_end end = CALL_DONE;
    const char *subject = options_value(&call->options, OPTION_SUBJECT);

    if (subject != NULL &&
        (!text_is_utf8(text_of(subject)) || text_has_control(text_of(subject)) ||
         !text_copy(text_of(subject), account->subject, sizeof account->subject))) {
        return call_wrong(call, "--subject: at most %d bytes of UTF-8, no control characters",
                          ACCOUNT_SUBJECT_MAX);
    }
    if (options_has(&call->options, OPTION_ROLE)) {
        end = read_roles(call, account);
    }
    if (end == CALL_DONE && (options_has(&call->options, OPTION_CLAIM) ||
                             options_has(&call->options, OPTION_CLAIMS_FILE))) {
        end = read_claims(call, account);
    }
    return end;
}

static enum call_end read_rules(const struct call *call, struct account *account)
{
    const char *limit = options_value(&call->options, OPTION_SESSION_LIMIT);
    const char *change = options_value(&call->options, OPTION_PASSWORD_CHANGE);
    uint64_t number = account->session_limit;

    if (limit != NULL && !text_to_u64(text_of(limit), ACCOUNT_SESSION_LIMIT_MAX, &number)) {
        return call_wrong(call, "--session-limit %s: 0 (none of its own) to %d", limit,
                          ACCOUNT_SESSION_LIMIT_MAX);
    }
    account->session_limit = (uint32_t)number;
    if (change != NULL && strcmp(change, "end") != 0 && strcmp(change, "keep") != 0) {
        return call_wrong(call, "--on-password-change %s: end or keep", change);
    }
    if (change != NULL) {
        account->keep_on_password_change = strcmp(change, "keep") == 0;
    }
    return CALL_DONE;
}

static enum call_end read_roles(struct call *call, struct account *account)
{
    struct buffer roles;
    struct text all;
    const char *role;

    buffer_start(&roles, call->arena, 128);
    for (size_t at = 0; (role = options_next(&call->options, OPTION_ROLE, &at)) != NULL;) {
        if (!text_is_visible_ascii(text_of(role))) {
            return call_wrong(call, "--role %s: a role is one word of visible ASCII", role);
        }
        if (buffer_text(&roles).size > 0) {
            buffer_add_char(&roles, ' ');
        }
        buffer_add_c(&roles, role);
    }
    if (!buffer_finish(&roles, &all) || !text_copy(all, account->roles, sizeof account->roles)) {
        return call_wrong(call, "the roles together are longer than %d characters",
                          ACCOUNT_ROLES_MAX);
    }
    return CALL_DONE;
}

/* --claims-file first, each --claim over it. */
static enum call_end read_claims(struct call *call, struct account *account)
{
    struct fault fault = {0};
    struct buffer claims;
    struct text all;

    buffer_start(&claims, call->arena, 512);
    struct json_out out = json_out_start(&claims, JSON_STYLE_PLAIN);
    json_out_open(&out);
    if (options_has(&call->options, OPTION_CLAIMS_FILE)) {
        json_t *object = claims_of_file(call, &fault);

        if (object == NULL) {
            return call_wrong(call, "%s", fault.text);
        }
        const char *key;
        json_t *value;
        json_object_foreach(object, key, value)
        {
            if (!claimed(call, text_of(key), 0)) {
                json_out_key(&out, key);
                json_out_value(&out, value);
            }
        }
    }
    const char *claim;
    for (size_t at = 0; (claim = options_next(&call->options, OPTION_CLAIM, &at)) != NULL;) {
        struct text value = text_of(claim);
        struct text name = text_split(&value, '=');

        if (name.size == 0 || strchr(claim, '=') == NULL || !text_is_utf8(text_of(claim))) {
            return call_wrong(call, "--claim %s: write NAME=VALUE, in UTF-8", claim);
        }
        if (claimed(call, name, at)) {
            return call_wrong(call, "--claim %.*s is given twice", TEXT_ARGS(name));
        }
        add_claim(&out, name, value);
    }
    json_out_close(&out);
    if (!buffer_finish(&claims, &all) || !text_copy(all, account->claims, sizeof account->claims)) {
        return call_wrong(call, "the claims together are longer than %d bytes", ACCOUNT_CLAIMS_MAX);
    }
    return CALL_DONE;
}

static json_t *claims_of_file(struct call *call, struct fault *fault)
{
    const char *path = options_value(&call->options, OPTION_CLAIMS_FILE);
    char *data = arena_alloc(call->arena, ACCOUNT_CLAIMS_MAX * 4);
    size_t size;

    if (data == NULL || !prompt_file(path, data, ACCOUNT_CLAIMS_MAX * 4, &size, fault)) {
        return NULL;
    }
    json_t *object = json_in_object(call->arena, (struct text){data, size}, fault);
    if (object == NULL) {
        fault_prefix(fault, "%s: claims must be one JSON object", path);
    }
    return object;
}

/* Is `key` among the --claim options from the at-th given one on? */
static bool claimed(const struct call *call, struct text key, size_t at)
{
    const char *claim;

    while ((claim = options_next(&call->options, OPTION_CLAIM, &at)) != NULL) {
        struct text rest = text_of(claim);

        if (text_equal(text_split(&rest, '='), key)) {
            return true;
        }
    }
    return false;
}

/* A claim on the command line: digits are a number, true and false are Booleans, the rest is a
 * string. */
static void add_claim(struct json_out *out, struct text name, struct text value)
{
    char key[ACCOUNT_CLAIMS_MAX + 1];
    uint64_t number;

    text_copy(name, key, sizeof key);
    json_out_key(out, key);
    bool zeroes = value.size > 1 && value.data[0] == '0';
    if (!zeroes && text_to_u64(value, INT64_MAX, &number)) {
        json_out_int(out, (int64_t)number);
    } else if (text_is(value, "true") || text_is(value, "false")) {
        json_out_bool(out, text_is(value, "true"));
    } else {
        json_out_text(out, value);
    }
}

/* Standard input can be read for one of them only. */
static bool both_on_stdin(const struct call *call)
{
    const char *claims = options_value(&call->options, OPTION_CLAIMS_FILE);
    const char *password = options_value(&call->options, OPTION_PASSWORD_FILE);

    return claims != NULL && strcmp(claims, "-") == 0 &&
           !options_has(&call->options, OPTION_NO_PASSWORD) &&
           (password == NULL || strcmp(password, "-") == 0);
}

/* From --password-file, the terminal, or standard input; hashed and wiped here. */
static enum call_end read_password(struct call *call, struct account *account)
{
    char password[PASSWORD_MAX + 3]; /* and a line end of one or two bytes */
    size_t size = 0;
    struct fault fault = {0};
    const char *file = options_value(&call->options, OPTION_PASSWORD_FILE);
    enum call_end end = CALL_DONE;

    if (file != NULL && options_has(&call->options, OPTION_NO_PASSWORD)) {
        return call_wrong(call, "--password-file and --no-password exclude each other");
    }
    if (options_has(&call->options, OPTION_NO_PASSWORD)) {
        account->password[0] = '\0';
        return CALL_DONE;
    }
    if (file == NULL && prompt_is_terminal()) {
        if (!prompt_twice("password", password, sizeof password, &size, &fault)) {
            return call_refuse(call, "%s", fault.text);
        }
    } else if (!prompt_line(file != NULL ? file : "-", password, sizeof password, &size, &fault)) {
        return call_wrong(call, "no password: %s; --password-file names a file, --no-password none",
                          fault.text);
    }
    if (size > PASSWORD_MAX) {
        end = call_wrong(call, "a password has at most %d bytes", PASSWORD_MAX);
    } else if ((end = call_check_length(call, "a password", size, &password_lengths)) ==
                   CALL_DONE &&
               !password_hash((struct text){password, size}, &call->service.config.password_method,
                              &call->randomness, account->password, &fault)) {
        end = call_fault(call, &fault);
    }
    secret_wipe(password, sizeof password);
    return end;
}
