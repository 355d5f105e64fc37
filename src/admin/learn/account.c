/* SPDX-License-Identifier: ISC */
/* account.c: see account.h. */
#include "admin/learn/account.h"

static bool is_account_name(struct text name)
{
    static const char *const words[] = {
        "email",      "phone",       "firstname",  "lastname",    "name",      "givenname",
        "familyname", "picture",     "avatar",     "locale",      "userid",    "uid",
        "id",         "tenant",      "company",    "department",  "nickname",  "displayname",
        "birthdate",  "gender",      "address",    "localid",     "zoneinfo",  "middlename",
        "accountid",  "phonenumber", "mobile",     "mobilephone", "telephone", "fullname",
        "surname",    "birthday",    "dateofbirth"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (learn_name_is(name, words[i])) {
            return true;
        }
    }
    return false;
}

/* The path without the value's own name. */
static struct text object_of(const struct learn_value *value)
{
    size_t own = value->name.size + 1;

    return value->path.size > own ? text_cut(value->path, value->path.size - own)
                                  : (struct text){0};
}

/* Whatever it is called, an object without tokens is a person's if it has the account's subject or
 * name. */
static bool is_beside_account(const struct learn_value *value, const struct learn_facts *facts)
{
    struct text object = object_of(value);
    bool account = false;

    for (size_t i = 0; object.size > 0 && facts->answer != NULL && i < facts->answer->count; i++) {
        const struct learn_value *other = &facts->answer->rows[i];
        struct text text = other->text;

        if (other->kind != LEARN_STRING || !text_equal(object_of(other), object)) {
            continue;
        } else if (text_equal(text, facts->access) || text_equal(text, facts->next)) {
            return false;
        }
        account = account || (text.size > 0 && (text_equal(text, facts->subject) ||
                                                text_equal(text, facts->username)));
    }
    return account;
}

static bool is_of_person(const struct learn_value *value, const struct learn_facts *facts)
{
    return is_beside_account(value, facts) || learn_name_has(value->parent, "user") ||
           learn_name_has(value->parent, "account") || learn_name_has(value->parent, "profile") ||
           learn_name_is(value->parent, "member") || learn_name_is(value->parent, "record");
}

/* What most backends have the same for everybody. */
static bool is_constant(const struct learn_value *value)
{
    static const char *const names[] = {"tokentype", "typ",    "type", "tokenuse", "ver",
                                        "version",   "status", "aal",  "provider", "message",
                                        "success",   "code",   "role", "amr",      "method",
                                        "kind",      "acr",    "tid",  "aud"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (learn_name_is(value->name, names[i])) {
            return value->text.size < 40 && !own_is_unique(value->text);
        }
    }
    return false;
}

struct learn_meaning learn_account(const struct learn_value *value, const struct learn_facts *facts)
{
    bool address = value->kind == LEARN_STRING && text_find(value->text, '@') < value->text.size;

    if (address) {
        return (struct learn_meaning){.account = true, .why = "a claim of the account"};
    } else if (is_constant(value) || (value->kind == LEARN_OTHER && !is_of_person(value, facts))) {
        return (struct learn_meaning){0};
    } else if (is_account_name(value->name) || is_of_person(value, facts) ||
               (value->kind == LEARN_STRING && own_is_opaque(value->text))) {
        return (struct learn_meaning){.account = true, .why = "a claim of the account"};
    }
    return (struct learn_meaning){.why = "the same for everyone"};
}

bool learn_account_is_name(struct text name)
{
    return learn_name_is(name, "username") || learn_name_is(name, "login") ||
           learn_name_is(name, "preferredusername") || learn_name_is(name, "uniquename");
}

bool learn_account_is_told(const struct learn_value *value, const struct learn_facts *facts)
{
    const struct learn_values *answer = facts->answer;

    for (size_t i = 0; answer != NULL && i < answer->count; i++) {
        const struct learn_value *told = &answer->rows[i];

        if (value->kind == LEARN_STRING && !is_constant(value) && told->kind == LEARN_STRING &&
            is_of_person(told, facts) && text_equal(told->name, value->name) &&
            text_equal(told->text, value->text)) {
            return true;
        }
    }
    return false;
}
