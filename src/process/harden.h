/* SPDX-License-Identifier: ISC */
/* harden.h: what both programs do first, before there is a secret in memory. Knows the process;
 * does not know what it is for. */
#ifndef RETOKEN_PROCESS_HARDEN_H
#define RETOKEN_PROCESS_HARDEN_H

#include <stdbool.h>

#include "base/fault.h"

/* Defined in a build with sanitizers, which need more memory and more files than the program. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HARDEN_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HARDEN_SANITIZED 1
#endif

/* Makes sure that descriptors 0 to 2 are open, on /dev/null if necessary: otherwise the file of the
 * store might become standard output. Before any other open. False when it fails. */
bool harden_descriptors(void);

/* No core file, no debugger of another user; files created from now on are accessible to this user
 * only; and a file at the limit of its size is a failed write, not the end of the process. */
void harden_process(void);

/* Root becomes the owner of that folder, with that user's groups, so that no file of an
 * installation ever belongs to root and cannot be read by the responder. Nothing changes for
 * another user, when the folder is not there, and when it is root's own. Before anything is opened
 * or a thread is started. False with *fault. */
bool harden_act_as_owner(const char *folder, struct fault *fault);

#endif
