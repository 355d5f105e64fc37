/* SPDX-License-Identifier: ISC */
/* password_gate.h: how many password hashes a process computes: few at a time, few that wait, and
 * none for what it knows to be right. Knows hashes; does not know accounts, clients or who guesses.
 */
#ifndef RETOKEN_OPERATION_PASSWORD_GATE_H
#define RETOKEN_OPERATION_PASSWORD_GATE_H

#include "base/crypto.h"
#include "operation/password.h"

/* A hash takes 16 MiB and tens of milliseconds. So at most PASSWORD_CHECKS are computed at a time
 * and PASSWORD_WAITING wait, PASSWORD_OF_OWNER of both for one owner. */
enum { PASSWORD_CHECKS = 4, PASSWORD_WAITING = 4, PASSWORD_OF_OWNER = 2 };
/* How many right passwords are remembered. */
enum { PASSWORDS_REMEMBERED = 1024 };

struct password_gate;
/* NULL: no memory or no randomness. */
struct password_gate *password_gate_open(const struct randomness *randomness);
void password_gate_close(struct password_gate *gate); /* NULL is harmless */

/* Is this the password of `hash`? As password_verify, and may wait for other checks; `owner` names
 * whose it is ("client web"). What was right is remembered until the hash changes, in this process,
 * as an HMAC under a key of its own, and costs no hash again. The same check by several threads is
 * made once. PASSWORD_BUSY, at once: too many are being made or wait. */
enum password_check password_gate_verify(struct password_gate *gate, struct text owner,
                                         struct text password, const char *hash);

/* May the caller compute a hash now, as one of the PASSWORD_CHECKS? True: then leave afterwards. */
bool password_gate_enter(struct password_gate *gate);
void password_gate_leave(struct password_gate *gate);

/* Is it remembered as right? Computes no hash. */
bool password_gate_knows(struct password_gate *gate, struct text owner, struct text password,
                         const char *hash);

#endif
