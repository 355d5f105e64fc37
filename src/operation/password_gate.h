/* SPDX-License-Identifier: ISC */
/* password_gate.h: how many password hashes a process computes: few at a time, few that wait, and
 * none for what it knows to be right. Knows hashes; does not know accounts, clients or who guesses.
 */
#ifndef RETOKEN_OPERATION_PASSWORD_GATE_H
#define RETOKEN_OPERATION_PASSWORD_GATE_H

#include "base/crypto.h"
#include "operation/password.h"

/* A hash takes 16 MiB and tens of milliseconds. So half the processors at most compute one, and
 * never more than PASSWORD_CHECKS: the others are for what is quick. As many as PASSWORD_PLACES are
 * computed or wait, PASSWORD_OF_OWNER for one owner. Those of password_gate_verify have a priority
 * of PASSWORD_NICE: about a tenth of a processor that others want, too. */
enum { PASSWORD_CHECKS = 4, PASSWORD_PLACES = 8, PASSWORD_OF_OWNER = 2, PASSWORD_NICE = 10 };
/* How many right passwords are remembered. */
enum { PASSWORDS_REMEMBERED = 1024 };

struct password_gate;
/* `processors`: those that this process may use. Random
 * numbers are asked for with the first password. NULL: no memory. */
struct password_gate *password_gate_open(size_t processors, const struct randomness *randomness);
void password_gate_close(struct password_gate *gate); /* NULL is harmless */

/* Is this the password of `hash`? As password_verify, and may wait for other checks; `owner` names
 * whose it is ("client web"). What was right is remembered until the hash changes, in this process,
 * as an HMAC under a key of its own, and costs no hash again. The same check by several threads is
 * made once. PASSWORD_BUSY, at once: too many are being made or wait. */
enum password_check password_gate_verify(struct password_gate *gate, struct text owner,
                                         struct text password, const char *hash);

/* May the caller compute a hash now, as one of those few? True: then leave afterwards. */
bool password_gate_enter(struct password_gate *gate);
void password_gate_leave(struct password_gate *gate);

/* Is it remembered as right? Computes no hash. */
bool password_gate_knows(struct password_gate *gate, struct text owner, struct text password,
                         const char *hash);

#endif
