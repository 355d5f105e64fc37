/* SPDX-License-Identifier: ISC */
/* stranger.h: a dialect's file that is not of the library: each place that a value can have, each
 * escaping, and a value wherever a template takes one. */
#ifndef RETOKEN_TESTS_DIALECT_STRANGER_H
#define RETOKEN_TESTS_DIALECT_STRANGER_H

static const char stranger_file[] =
    "[dialect]\n"
    "summary        = a stranger's\n"
    "json-style     = php\n"
    "refresh-cookie = stranger_rt\n"
    "access-cookie  = stranger_at\n"
    "white-space    = trim\n"
    "numbers        = read\n"

    "[access-token]\n"
    "header  = {\"alg\":\"${alg}\",\"kid\":\"${kid}\"}\n"
    "payload = {\"who\":\"${username} <${account.email}>\",\"in\":{\"roles\":${roles.list},"
    "\"scope\":\"${scope?}\"},\"sub\":\"${subject}\",\"sid\":\"${session}\",\"n\":${user_number},"
    "\"exp\":${expires_at?},\"client\":\"${client?}\",\"jti\":\"${jti}\",${account.*}}\n"

    "[endpoint refresh]\n"
    "path          = /stranger/refresh\n"
    "methods       = any-case POST\n"
    "body          = json form\n"
    "operation     = refresh\n"
    "refresh-token = json /a/b/token, form token, cookie\n"
    "access-token  = optional json /a/b/access, form access\n"
    "username      = optional json /a/user, form user\n"
    "client-id     = optional json client, form client\n"
    "scope         = json /a/scope, form scope\n"
    "answer        = 201 {\"a\":[\"${access_token}\",{\"r\":\"${refresh_token}\"}],\n"
    "answer        = ' \"who\": \"<${username}>\", \"roles\": ${roles.list?}, \"all\": "
    "${account.x},'\n"
    "answer        = ' \"scope\": \"${scope?}\", \"left\": ${session_expires_in} }'\n"
    "answer        = ''\n"
    "answer.cookies       = set\n"
    "answer.header.X-User = ${username}; ${account.email}\n"

    "[endpoint get]\n"
    "path          = /stranger/get\n"
    "methods       = GET DELETE\n"
    "body          = none\n"
    "operation     = refresh\n"
    "refresh-token = authorization Token, header X-Refresh\n"
    "answer        = 200 ${access_token}\n"
    "answer        = ${refresh_token} ${username}\n"
    "answer.type   = text/plain\n"

    "[endpoint url]\n"
    "path          = /stranger/url\n"
    "operation     = refresh\n"
    "refresh-token = query token\n"
    "not-in-url    = password\n"
    "answer        = 200 {\"a\":\"${access_token}\",\"r\":\"${new_refresh_token?}\"}\n"

    "[endpoint login]\n"
    "path      = /stranger/login\n"
    "body      = both\n"
    "members   = only\n"
    "operation = login\n"
    "username  = json user, form user\n"
    "password  = json password, form password\n"
    "answer    = 200 "
    "{\"a\":\"${access_token}\",\"r\":\"${refresh_token}\",\"me\":\"${username}\"}\n"

    "[endpoint whose]\n"
    "path          = /stranger/whose\n"
    "methods       = GET POST\n"
    "operation     = validate\n"
    "refresh-token = bearer, json token\n"
    "answer        = 200 {\"user\":\"${username}\",\"was\":${token.who},\"since\":\"${now.iso}\"}\n"

    "[endpoint good]\n"
    "path          = /stranger/good\n"
    "operation     = verify\n"
    "refresh-token = header X-Token, json token\n"
    "answer        = 204\n"

    "[endpoint logout]\n"
    "path          = /stranger/logout\n"
    "operation     = logout\n"
    "access-token  = bearer\n"
    "answer        = 204\n"
    "answer.cookies = clear\n"

    "[refusals]\n"
    "method     = 405 {\"sent\":\"${method}\",\"type\":${content_type}}\n"
    "media      = 415 {\"sent\":\"<${content_type}>\"}\n"
    "no-token   = 422 {\"errors\":${complaints}}\n"
    "no-field   = 422 {\"errors\":${complaints}}\n"
    "request    = 400 {\"error\":\"request\"}\n"
    "client     = 401 {\"error\":\"client\"}\n"
    "token      = 401 {\"error\":\"token\"}\n"
    "token.header.WWW-Authenticate = Token\n"
    "here       = 503 {\"error\":\"here\"}\n"

    "[complaints]\n"
    "any     = [\"is wrong\"]\n"
    "any.absent = [\"is absent\"]\n";

#endif
