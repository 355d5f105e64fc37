/* forks.h: has this process come out of a fork since? Cheaper to ask than getpid(), which is a
 * system call each time. */
#ifndef RETOKEN_BASE_FORKS_H
#define RETOKEN_BASE_FORKS_H

/* How many forks lie between the process that asked first and this one. A child by vfork, or by a
 * bare clone(2), is not counted. From any thread. */
unsigned forks_count(void);

#endif
