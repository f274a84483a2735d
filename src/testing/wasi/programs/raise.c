// A signal whose default is to end the process ends it as a shell would report it: SIGABRT (here 6) gives 134.
#include "wasi.h"

void _start(void) {
  IS(proc_raise(6), OK);
  proc_exit(1);
}
