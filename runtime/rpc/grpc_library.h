/* The gRPC library's own life in the process: started with the first server or client, its log made
 * ours. */
#pragma once

/* Counted; each start needs its stop. Never fork afterwards. Thread: any. */
void rt_grpc_start(void);
void rt_grpc_stop(void);
