// As many names as the unit may make: 10 in this test, whatever they name.
#include "wasi.h"

void _start(void) {
  char name[3] = "f0";
  for (u32 i = 0; i < 4; i++) {
    name[1] = (char)('0' + i);
    touch(TMP, name);
  }
  IS(path_create_directory(TMP, S("d")), OK);
  IS(path_create_directory(OUT, S("d")), OK);
  IS(path_symlink(S("f0"), TMP, S("s")), OK);
  IS(path_link(TMP, 0, S("f0"), OUT, S("l0")), OK);
  IS(path_link(TMP, 0, S("f0"), OUT, S("l1")), OK);
  IS(path_link(TMP, 0, S("f0"), OUT, S("l2")), OK);
  IS(path_link(TMP, 0, S("f0"), OUT, S("l3")), NOSPC);
  IS(path_create_directory(TMP, S("d/e")), NOSPC);
  IS(path_symlink(S("f0"), TMP, S("t")), NOSPC);
  IS(open_error(TMP, FOLLOW, "g", CREAT, 0), NOSPC);
  // Renaming makes no name more, replacing one less.
  IS(path_rename(TMP, S("f0"), TMP, S("g")), OK);
  IS(path_rename(TMP, S("f1"), TMP, S("g")), OK);
  touch(TMP, "h");
  IS(open_error(TMP, FOLLOW, "i", CREAT, 0), NOSPC);
  IS(path_unlink_file(TMP, S("s")), OK);
  touch(TMP, "i");
  IS(path_remove_directory(TMP, S("d")), OK);
  touch(TMP, "j");
  IS(open_error(TMP, FOLLOW, "k", CREAT, 0), NOSPC);
}
