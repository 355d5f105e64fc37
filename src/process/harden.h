/* harden.h: what both programs do first, before there is a secret in memory. Knows the process;
 * does not know what it is for. */
#ifndef RETOKEN_PROCESS_HARDEN_H
#define RETOKEN_PROCESS_HARDEN_H

#include <stdbool.h>

/* Makes sure that descriptors 0 to 2 are open, on /dev/null if need be: or the store's file would
 * become standard output. False when that cannot be done. Before any other open. */
bool harden_descriptors(void);

/* No core file with secrets in it, nobody else's debugger; and what is made from now on is this
 * user's alone. */
void harden_secrets(void);

#endif
