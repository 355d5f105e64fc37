/* gateway.h: FastCGI requests to answers: the room of libfcgi. */
#ifndef RETOKEN_RESPONDER_GATEWAY_H
#define RETOKEN_RESPONDER_GATEWAY_H

#include "responder/door.h"
#include "responder/serve.h"

struct gateway;

/* Both outlive the gateway. NULL: out of memory. */
struct gateway *gateway_open(struct door *door, struct serve *serve, bool over_tcp);
/* When nothing is in flight any more. NULL is harmless. */
void gateway_close(struct gateway *gateway);

/* Takes over a peer from the door: receives what it sends, performs a request that is whole, and
 * gives the peer back, perhaps later, from a serve_settle. Never waits for the peer. From any
 * thread. */
void gateway_receive(struct gateway *gateway, int peer);

#endif
