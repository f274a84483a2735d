/*
 * A ray tracer as a plain WASI command: reads a scene and renders one tile of its picture.
 *
 *   ray-tracer SCENE X Y WIDTH HEIGHT        writes /out/tile.png
 *   ray-tracer SCENE X Y WIDTH HEIGHT rgba   writes the pixels to standard output, four bytes each
 *
 * It has spheres, boxes, planes, triangles, meshes from Wavefront .obj files, sphere flakes and torus knots; a bounding-volume
 * hierarchy; mirrors, glass, glossy and matt materials, checkers, lamps with soft shadows, light from the sky with occlusion,
 * and a lens with depth of field. Every random number is a function of pixel and sample, so a tile is the same whoever renders
 * it. Nothing here knows of Starling: it is compiled as any C program would be.
 *
 * The scene is lines of words; README.md lists them.
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
#define FAR_AWAY 1e30
#define NEAR_ENOUGH 1e-6
#define MATERIALS_MAX 64
#define LAMPS_MAX 16
#define SHAPES_MAX 2000000
#define WORDS_MAX 24
#define LEAF_SHAPES 4
#define NODE_STACK 64

/* ---------------------------------------------------------------- vectors */

typedef struct {
  double x, y, z;
} vec;

static vec v(double x, double y, double z) { return (vec){x, y, z}; }
static vec add(vec a, vec b) { return v(a.x + b.x, a.y + b.y, a.z + b.z); }
static vec sub(vec a, vec b) { return v(a.x - b.x, a.y - b.y, a.z - b.z); }
static vec scale(vec a, double s) { return v(a.x * s, a.y * s, a.z * s); }
static vec mul(vec a, vec b) { return v(a.x * b.x, a.y * b.y, a.z * b.z); }
static double dot(vec a, vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static vec cross(vec a, vec b) { return v(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x); }
static vec unit(vec a) { return scale(a, 1 / sqrt(dot(a, a))); }
static vec mix(vec a, vec b, double t) { return add(scale(a, 1 - t), scale(b, t)); }
static vec reflect(vec d, vec n) { return sub(d, scale(n, 2 * dot(d, n))); }
static double axis_of(vec a, int axis) { return axis == 0 ? a.x : axis == 1 ? a.y : a.z; }
static vec lowest(vec a, vec b) { return v(fmin(a.x, b.x), fmin(a.y, b.y), fmin(a.z, b.z)); }
static vec highest(vec a, vec b) { return v(fmax(a.x, b.x), fmax(a.y, b.y), fmax(a.z, b.z)); }

/* Two directions that make a right-handed frame with n. */
static void frame_of(vec n, vec *s, vec *t) {
  vec up = fabs(n.y) < 0.9 ? v(0, 1, 0) : v(1, 0, 0);
  *s = unit(cross(up, n));
  *t = cross(n, *s);
}

/* ---------------------------------------------------------------- scene */

typedef struct {
  char name[32];
  vec colour;
  vec other; /* of the checker's second squares */
  double checker; /* edge of a square, 0 for none */
  double diffuse, specular, shininess, mirror, glass, index;
} material;

typedef enum { SPHERE, BOX, TRIANGLE } shape_kind;

typedef struct {
  shape_kind kind;
  int material;
  vec a, b, c; /* sphere: centre, (radius, 0, 0); box: low, high; triangle: corner, two edges */
  vec na, nb, nc; /* triangle: normals at its corners */
} shape;

typedef struct {
  int material;
  vec normal;
  double offset;
} plane;

typedef struct {
  vec at, colour;
  double radius;
} lamp;

typedef struct {
  vec low, high;
  int left; /* first child, the second follows it; or first shape of a leaf */
  int count; /* shapes of a leaf, 0 for an inner node */
} node;

typedef struct {
  int width, height, samples, depth;
  vec eye, target;
  double field, aperture;
  vec horizon, zenith;
  material materials[MATERIALS_MAX];
  int material_count;
  lamp lamps[LAMPS_MAX];
  int lamp_count;
  plane planes[8];
  int plane_count;
  shape *shapes;
  int shape_count, shape_room;
  node *nodes;
  int node_count;
} scene;

typedef struct {
  vec origin, direction;
} ray;

typedef struct {
  double distance;
  vec normal;
  int material;
} hit;

static uint64_t rays_traced;

static void fail(const char *file, int line, const char *why) {
  if (line > 0) fprintf(stderr, "%s:%d: %s\n", file, line, why);
  else fprintf(stderr, "%s: %s\n", file, why);
  exit(1);
}

static shape *new_shape(scene *s, shape_kind kind, int of) {
  if (s->shape_count == s->shape_room) {
    if (s->shape_count >= SHAPES_MAX) fail("scene", 0, "more than 2000000 shapes");
    s->shape_room = s->shape_room ? s->shape_room * 2 : 256;
    s->shapes = realloc(s->shapes, (size_t)s->shape_room * sizeof *s->shapes);
    if (!s->shapes) fail("scene", 0, "out of memory");
  }
  shape *made = &s->shapes[s->shape_count++];
  memset(made, 0, sizeof *made);
  made->kind = kind;
  made->material = of;
  return made;
}

static void add_sphere(scene *s, int of, vec centre, double radius) {
  shape *made = new_shape(s, SPHERE, of);
  made->a = centre;
  made->b.x = radius;
}

static void add_triangle(scene *s, int of, const vec corner[3], const vec normal[3]) {
  shape *made = new_shape(s, TRIANGLE, of);
  made->a = corner[0];
  made->b = sub(corner[1], corner[0]);
  made->c = sub(corner[2], corner[0]);
  vec flat = cross(made->b, made->c);
  if (dot(flat, flat) < 1e-24) {
    s->shape_count--; /* it has no area */
    return;
  }
  made->na = normal ? normal[0] : unit(flat);
  made->nb = normal ? normal[1] : unit(flat);
  made->nc = normal ? normal[2] : unit(flat);
}

/* A sphere with nine smaller ones on it, and so on. */
static void add_flake(scene *s, int of, vec centre, double radius, vec up, int depth) {
  add_sphere(s, of, centre, radius);
  if (depth == 0) return;
  vec a, b;
  frame_of(up, &a, &b);
  for (int i = 0; i < 9; i++) {
    double around = i < 6 ? i * PI / 3 : (i - 6) * 2 * PI / 3 + PI / 6;
    double height = i < 6 ? 0 : 0.8164965809277260; /* the edge of a close packing */
    double flat = sqrt(1 - height * height);
    vec towards = add(scale(up, height), add(scale(a, cos(around) * flat), scale(b, sin(around) * flat)));
    add_flake(s, of, add(centre, scale(towards, radius * 4 / 3)), radius / 3, towards, depth - 1);
  }
}

static vec knot_at(double t, int p, int q) {
  double r = 2 + cos(q * t);
  return v(r * cos(p * t), sin(q * t), r * sin(p * t));
}

/* A tube along the (p, q) torus knot, as triangles with smooth normals. */
static void add_knot(scene *s, int of, vec centre, double size, int p, int q, int segments, int sides) {
  double thickness = 0.45;
  vec *point = malloc((size_t)(segments * sides) * sizeof *point);
  vec *normal = malloc((size_t)(segments * sides) * sizeof *normal);
  if (!point || !normal) fail("knot", 0, "out of memory");
  for (int i = 0; i < segments; i++) {
    double t = 2 * PI * i / segments;
    vec here = knot_at(t, p, q);
    vec along = unit(sub(knot_at(t + 1e-4, p, q), knot_at(t - 1e-4, p, q)));
    vec out = unit(sub(here, v(2 * cos(p * t), 0, 2 * sin(p * t))));
    vec side = unit(cross(along, out));
    out = cross(side, along);
    for (int j = 0; j < sides; j++) {
      double u = 2 * PI * j / sides;
      vec towards = add(scale(out, cos(u)), scale(side, sin(u)));
      normal[i * sides + j] = towards;
      point[i * sides + j] = add(centre, scale(add(here, scale(towards, thickness)), size));
    }
  }
  for (int i = 0; i < segments; i++) {
    for (int j = 0; j < sides; j++) {
      int corner[4] = {i * sides + j, (i + 1) % segments * sides + j, (i + 1) % segments * sides + (j + 1) % sides,
                       i * sides + (j + 1) % sides};
      for (int half = 0; half < 2; half++) {
        int pick[3] = {corner[0], corner[1 + half], corner[2 + half]};
        vec points[3] = {point[pick[0]], point[pick[1]], point[pick[2]]};
        vec normals[3] = {normal[pick[0]], normal[pick[1]], normal[pick[2]]};
        add_triangle(s, of, points, normals);
      }
    }
  }
  free(point);
  free(normal);
}

/* ---------------------------------------------------------------- reading */

static double number(const char *word, const char *file, int line) {
  char *end;
  errno = 0;
  double value = strtod(word, &end);
  if (end == word || *end || errno || !isfinite(value)) fail(file, line, "this is not a number");
  return value;
}

static int whole(const char *word, int min, int max, const char *file, int line) {
  double value = number(word, file, line);
  if (value != floor(value) || value < min || value > max) fail(file, line, "a whole number is out of its bounds");
  return (int)value;
}

static int material_named(const scene *s, const char *name, const char *file, int line) {
  for (int i = 0; i < s->material_count; i++) {
    if (strcmp(s->materials[i].name, name) == 0) return i;
  }
  fail(file, line, "no material has this name");
  return 0;
}

/* Opens a file beside the scene; names are relative to the scene's folder. */
static FILE *open_beside(const char *scene_path, const char *name) {
  char path[512];
  const char *slash = strrchr(scene_path, '/');
  int folder = slash ? (int)(slash - scene_path) + 1 : 0;
  if (snprintf(path, sizeof path, "%.*s%s", folder, scene_path, name) >= (int)sizeof path) fail(name, 0, "its path is too long");
  FILE *file = fopen(path, "r");
  if (!file) {
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
  }
  return file;
}

static void read_mesh(scene *s, int of, const char *scene_path, const char *name, vec at, double size, double turn) {
  FILE *file = open_beside(scene_path, name);
  vec *points = NULL;
  int count = 0, room = 0, line = 0;
  char text[1024];
  double c = cos(turn * PI / 180), w = sin(turn * PI / 180);
  while (fgets(text, sizeof text, file)) {
    line++;
    double x, y, z;
    if (sscanf(text, "v %lf %lf %lf", &x, &y, &z) == 3) {
      if (count == room) {
        room = room ? room * 2 : 256;
        points = realloc(points, (size_t)room * sizeof *points);
        if (!points) fail(name, line, "out of memory");
      }
      points[count++] = add(at, scale(v(c * x + w * z, y, c * z - w * x), size));
    } else if (text[0] == 'f' && text[1] == ' ') {
      int corner[3], have = 0;
      for (char *word = strtok(text + 2, " \t\r\n"); word; word = strtok(NULL, " \t\r\n")) {
        int index = atoi(word);
        if (index < 0) index += count + 1;
        if (index < 1 || index > count) fail(name, line, "a face names a point that is not there");
        corner[have < 2 ? have : 2] = index - 1;
        if (++have >= 3) {
          vec points3[3] = {points[corner[0]], points[corner[1]], points[corner[2]]};
          add_triangle(s, of, points3, NULL);
          corner[1] = corner[2]; /* a polygon is a fan */
        }
      }
    }
  }
  free(points);
  fclose(file);
}

static void read_line(scene *s, char *word[], int words, const char *file, int line) {
#define IS(name, count) (strcmp(word[0], name) == 0 && (words == (count) + 1 || (fail(file, line, name " takes " #count " words"), 0)))
#define N(i) number(word[i], file, line)
#define V(i) v(N(i), N((i) + 1), N((i) + 2))
#define M() material_named(s, word[1], file, line)
  if (IS("image", 2)) {
    s->width = whole(word[1], 1, 32768, file, line);
    s->height = whole(word[2], 1, 32768, file, line);
  } else if (IS("samples", 1)) {
    s->samples = whole(word[1], 1, 4096, file, line);
  } else if (IS("depth", 1)) {
    s->depth = whole(word[1], 1, 64, file, line);
  } else if (IS("camera", 8)) {
    s->eye = V(1);
    s->target = V(4);
    s->field = N(7);
    s->aperture = N(8);
  } else if (IS("sky", 6)) {
    s->horizon = V(1);
    s->zenith = V(4);
  } else if (IS("lamp", 7)) {
    if (s->lamp_count == LAMPS_MAX) fail(file, line, "more than 16 lamps");
    s->lamps[s->lamp_count++] = (lamp){V(1), V(5), N(4)};
  } else if (IS("material", 10)) {
    if (s->material_count == MATERIALS_MAX) fail(file, line, "more than 64 materials");
    material *m = &s->materials[s->material_count++];
    memset(m, 0, sizeof *m);
    snprintf(m->name, sizeof m->name, "%s", word[1]);
    m->colour = V(2);
    m->diffuse = N(5);
    m->specular = N(6);
    m->shininess = N(7);
    m->mirror = N(8);
    m->glass = N(9);
    m->index = N(10);
  } else if (IS("checker", 5)) {
    material *m = &s->materials[M()];
    m->other = V(2);
    m->checker = N(5);
  } else if (IS("plane", 5)) {
    if (s->plane_count == 8) fail(file, line, "more than 8 planes");
    s->planes[s->plane_count++] = (plane){M(), unit(V(2)), N(5)};
  } else if (IS("sphere", 5)) {
    add_sphere(s, M(), V(2), N(5));
  } else if (IS("box", 7)) {
    shape *made = new_shape(s, BOX, M());
    made->a = lowest(V(2), V(5));
    made->b = highest(V(2), V(5));
  } else if (IS("triangle", 10)) {
    vec corner[3] = {V(2), V(5), V(8)};
    add_triangle(s, M(), corner, NULL);
  } else if (IS("flake", 6)) {
    add_flake(s, M(), V(2), N(5), v(0, 1, 0), whole(word[6], 0, 6, file, line));
  } else if (IS("knot", 9)) {
    add_knot(s, M(), V(2), N(5), whole(word[6], 1, 20, file, line), whole(word[7], 1, 20, file, line),
             whole(word[8], 3, 10000, file, line), whole(word[9], 3, 1000, file, line));
  } else if (IS("mesh", 7)) {
    read_mesh(s, M(), file, word[2], V(3), N(6), N(7));
  } else {
    fail(file, line, "this word begins no line of a scene");
  }
#undef IS
#undef N
#undef V
#undef M
}

static void read_scene(scene *s, const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) {
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
  }
  char text[1024];
  for (int line = 1; fgets(text, sizeof text, file); line++) {
    char *comment = strchr(text, '#');
    if (comment) *comment = '\0';
    char *word[WORDS_MAX];
    int words = 0;
    for (char *at = strtok(text, " \t\r\n"); at; at = strtok(NULL, " \t\r\n")) {
      if (words == WORDS_MAX) fail(path, line, "too many words");
      word[words++] = at;
    }
    if (words > 0) read_line(s, word, words, path, line);
  }
  fclose(file);
}

/* ---------------------------------------------------------------- hierarchy */

static void bounds_of(const shape *s, vec *low, vec *high) {
  if (s->kind == SPHERE) {
    vec r = v(s->b.x, s->b.x, s->b.x);
    *low = sub(s->a, r);
    *high = add(s->a, r);
  } else if (s->kind == BOX) {
    *low = s->a;
    *high = s->b;
  } else {
    vec b = add(s->a, s->b), c = add(s->a, s->c);
    *low = lowest(s->a, lowest(b, c));
    *high = highest(s->a, highest(b, c));
  }
}

static double middle_of(const shape *s, int axis) {
  vec low, high;
  bounds_of(s, &low, &high);
  return axis_of(low, axis) + axis_of(high, axis);
}

/* Orders shapes so that the middle one is in its place (Hoare's selection). */
static void select_middle(shape *shapes, int count, int axis) {
  int low = 0, high = count - 1, middle = count / 2;
  while (low < high) {
    double pivot = middle_of(&shapes[(low + high) / 2], axis);
    int i = low, j = high;
    while (i <= j) {
      while (middle_of(&shapes[i], axis) < pivot) i++;
      while (middle_of(&shapes[j], axis) > pivot) j--;
      if (i > j) break;
      shape swap = shapes[i];
      shapes[i++] = shapes[j];
      shapes[j--] = swap;
    }
    if (middle <= j) high = j;
    else if (middle >= i) low = i;
    else return;
  }
}

static void build_node(scene *s, int at, int first, int count) {
  node *made = &s->nodes[at];
  made->low = v(FAR_AWAY, FAR_AWAY, FAR_AWAY);
  made->high = v(-FAR_AWAY, -FAR_AWAY, -FAR_AWAY);
  for (int i = first; i < first + count; i++) {
    vec low, high;
    bounds_of(&s->shapes[i], &low, &high);
    made->low = lowest(made->low, low);
    made->high = highest(made->high, high);
  }
  if (count <= LEAF_SHAPES) {
    made->left = first;
    made->count = count;
    return;
  }
  vec size = sub(made->high, made->low);
  int axis = size.x >= size.y && size.x >= size.z ? 0 : size.y >= size.z ? 1 : 2;
  select_middle(s->shapes + first, count, axis);
  made->left = s->node_count;
  made->count = 0;
  s->node_count += 2;
  int left = made->left;
  build_node(s, left, first, count / 2);
  build_node(s, left + 1, first + count / 2, count - count / 2);
}

static void build(scene *s) {
  if (s->shape_count == 0) return;
  s->nodes = malloc((size_t)s->shape_count * 2 * sizeof *s->nodes);
  if (!s->nodes) fail("scene", 0, "out of memory");
  s->node_count = 1;
  build_node(s, 0, 0, s->shape_count);
}

/* ---------------------------------------------------------------- intersection */

static void hit_sphere(const shape *s, ray r, hit *nearest) {
  vec to = sub(s->a, r.origin);
  double along = dot(to, r.direction);
  double square = along * along - dot(to, to) + s->b.x * s->b.x;
  if (square < 0) return;
  double root = sqrt(square);
  double distance = along - root > NEAR_ENOUGH ? along - root : along + root;
  if (distance <= NEAR_ENOUGH || distance >= nearest->distance) return;
  nearest->distance = distance;
  nearest->normal = scale(sub(add(r.origin, scale(r.direction, distance)), s->a), 1 / s->b.x);
  nearest->material = s->material;
}

/* Where the ray enters and leaves a box; false if it misses. */
static int slab(vec low, vec high, ray r, vec inverse, double *enter, double *leave) {
  double x0 = (low.x - r.origin.x) * inverse.x, x1 = (high.x - r.origin.x) * inverse.x;
  double y0 = (low.y - r.origin.y) * inverse.y, y1 = (high.y - r.origin.y) * inverse.y;
  double z0 = (low.z - r.origin.z) * inverse.z, z1 = (high.z - r.origin.z) * inverse.z;
  double in = x0 < x1 ? x0 : x1, out = x0 < x1 ? x1 : x0;
  double yin = y0 < y1 ? y0 : y1, yout = y0 < y1 ? y1 : y0;
  double zin = z0 < z1 ? z0 : z1, zout = z0 < z1 ? z1 : z0;
  in = yin > in ? yin : in;
  in = zin > in ? zin : in;
  out = yout < out ? yout : out;
  out = zout < out ? zout : out;
  *enter = in;
  *leave = out;
  return out >= in && out > NEAR_ENOUGH;
}

static void hit_box(const shape *s, ray r, vec inverse, hit *nearest) {
  double enter, leave;
  if (!slab(s->a, s->b, r, inverse, &enter, &leave)) return;
  double distance = enter > NEAR_ENOUGH ? enter : leave;
  if (distance >= nearest->distance) return;
  vec at = add(r.origin, scale(r.direction, distance));
  vec size = scale(sub(s->b, s->a), 0.5);
  vec from = sub(at, scale(add(s->a, s->b), 0.5));
  vec part = v(from.x / size.x, from.y / size.y, from.z / size.z);
  double x = fabs(part.x), y = fabs(part.y), z = fabs(part.z);
  nearest->distance = distance;
  nearest->material = s->material;
  nearest->normal = x > y && x > z ? v(part.x > 0 ? 1 : -1, 0, 0)
                    : y > z        ? v(0, part.y > 0 ? 1 : -1, 0)
                                   : v(0, 0, part.z > 0 ? 1 : -1);
}

/* Möller and Trumbore, "Fast, minimum storage ray/triangle intersection", 1997. */
static void hit_triangle(const shape *s, ray r, hit *nearest) {
  vec p = cross(r.direction, s->c);
  double determinant = dot(s->b, p);
  if (fabs(determinant) < 1e-14) return;
  double inverse = 1 / determinant;
  vec from = sub(r.origin, s->a);
  double u = dot(from, p) * inverse;
  if (u < 0 || u > 1) return;
  vec q = cross(from, s->b);
  double w = dot(r.direction, q) * inverse;
  if (w < 0 || u + w > 1) return;
  double distance = dot(s->c, q) * inverse;
  if (distance <= NEAR_ENOUGH || distance >= nearest->distance) return;
  nearest->distance = distance;
  nearest->material = s->material;
  nearest->normal = unit(add(scale(s->na, 1 - u - w), add(scale(s->nb, u), scale(s->nc, w))));
}

static void hit_shapes(const scene *s, ray r, hit *nearest) {
  if (s->node_count == 0) return;
  vec inverse = v(1 / r.direction.x, 1 / r.direction.y, 1 / r.direction.z);
  int stack[NODE_STACK], depth = 0;
  stack[depth++] = 0;
  while (depth > 0) {
    const node *at = &s->nodes[stack[--depth]];
    double enter, leave;
    if (!slab(at->low, at->high, r, inverse, &enter, &leave) || enter >= nearest->distance) continue;
    if (at->count == 0) {
      /* The half the ray comes to first is put on top. */
      vec between = sub(s->nodes[at->left + 1].low, s->nodes[at->left].low);
      int swapped = dot(between, r.direction) < 0;
      if (depth + 2 > NODE_STACK) fail("scene", 0, "the hierarchy is too deep");
      stack[depth++] = at->left + !swapped;
      stack[depth++] = at->left + swapped;
      continue;
    }
    for (int i = at->left; i < at->left + at->count; i++) {
      const shape *one = &s->shapes[i];
      if (one->kind == SPHERE) hit_sphere(one, r, nearest);
      else if (one->kind == BOX) hit_box(one, r, inverse, nearest);
      else hit_triangle(one, r, nearest);
    }
  }
}

static hit trace(const scene *s, ray r, double limit) {
  hit nearest = {limit, {0, 0, 0}, -1};
  rays_traced++;
  for (int i = 0; i < s->plane_count; i++) {
    const plane *p = &s->planes[i];
    double slope = dot(p->normal, r.direction);
    if (fabs(slope) < 1e-12) continue;
    double distance = (p->offset - dot(p->normal, r.origin)) / slope;
    if (distance <= NEAR_ENOUGH || distance >= nearest.distance) continue;
    nearest = (hit){distance, p->normal, p->material};
  }
  hit_shapes(s, r, &nearest);
  return nearest;
}

/* ---------------------------------------------------------------- light */

/* PCG's output permutation over a counter: small, and the same everywhere. */
static uint32_t random_state;

static double chance(void) {
  uint32_t state = random_state = random_state * 747796405u + 2891336453u;
  uint32_t word = ((state >> ((state >> 28) + 4)) ^ state) * 277803737u;
  return ((word >> 22) ^ word) * 0x1p-32;
}

static vec in_ball(void) {
  for (;;) {
    vec p = v(chance() * 2 - 1, chance() * 2 - 1, chance() * 2 - 1);
    if (dot(p, p) <= 1) return p;
  }
}

static vec sky(const scene *s, vec direction) {
  double height = direction.y > 0 ? direction.y : 0;
  return mix(s->horizon, s->zenith, sqrt(height));
}

static vec colour_at(const material *m, vec at) {
  if (m->checker <= 0) return m->colour;
  long long x = (long long)floor(at.x / m->checker), z = (long long)floor(at.z / m->checker);
  return (x + z) & 1 ? m->other : m->colour;
}

static int shadowed(const scene *s, vec from, vec towards, double distance) {
  hit between = trace(s, (ray){from, towards}, distance - NEAR_ENOUGH);
  return between.material >= 0 && s->materials[between.material].glass < 0.5;
}

static vec matt(const scene *s, const material *m, vec at, vec normal, vec seen_from, vec colour) {
  vec sum = v(0, 0, 0);
  for (int i = 0; i < s->lamp_count; i++) {
    const lamp *l = &s->lamps[i];
    vec to = sub(add(l->at, scale(in_ball(), l->radius)), at);
    double square = dot(to, to), distance = sqrt(square);
    to = scale(to, 1 / distance);
    double facing = dot(normal, to);
    if (facing <= 0 || shadowed(s, at, to, distance)) continue;
    vec light = scale(l->colour, 1 / square);
    sum = add(sum, scale(mul(colour, light), m->diffuse * facing));
    double gleam = dot(reflect(scale(to, -1), normal), seen_from);
    if (gleam > 0 && m->specular > 0) sum = add(sum, scale(light, m->specular * pow(gleam, m->shininess)));
  }
  /* One ray for what the sky gives, spread by Lambert's law. */
  vec towards = unit(add(normal, scale(in_ball(), 0.999)));
  if (trace(s, (ray){at, towards}, FAR_AWAY).material < 0) sum = add(sum, scale(mul(colour, sky(s, towards)), m->diffuse));
  return sum;
}

/* Schlick's approximation of Fresnel's reflectance. */
static double fresnel(double facing, double index) {
  double base = (1 - index) / (1 + index);
  base *= base;
  return base + (1 - base) * pow(1 - facing, 5);
}

static vec radiance(const scene *s, ray r, int depth) {
  hit found = trace(s, r, FAR_AWAY);
  if (found.material < 0) return sky(s, r.direction);
  const material *m = &s->materials[found.material];
  vec at = add(r.origin, scale(r.direction, found.distance));
  int inside = dot(found.normal, r.direction) > 0;
  vec normal = inside ? scale(found.normal, -1) : found.normal;
  vec outside = add(at, scale(normal, 1e-5));
  vec colour = colour_at(m, at);
  vec sum = v(0, 0, 0);
  if (m->diffuse > 0) sum = matt(s, m, outside, normal, scale(r.direction, -1), colour);
  if (depth <= 1) return sum;
  double facing = -dot(normal, r.direction);
  if (m->mirror > 0) {
    double share = m->mirror + (1 - m->mirror) * pow(1 - facing, 5);
    vec seen = radiance(s, (ray){outside, reflect(r.direction, normal)}, depth - 1);
    /* A metal tints what it mirrors, varnish does not. */
    vec tint = mix(v(1, 1, 1), colour, m->mirror);
    sum = add(scale(sum, 1 - share), scale(mul(tint, seen), share));
  }
  if (m->glass > 0) {
    double ratio = inside ? m->index : 1 / m->index;
    double square = 1 - ratio * ratio * (1 - facing * facing);
    double bounced = square <= 0 ? 1 : fresnel(facing, m->index);
    /* One of the two ways, by its share: the mean over the samples is right and the work does not double. */
    if (chance() < bounced) {
      sum = add(sum, scale(radiance(s, (ray){outside, reflect(r.direction, normal)}, depth - 1), m->glass));
    } else {
      vec bent = add(scale(r.direction, ratio), scale(normal, ratio * facing - sqrt(square)));
      vec beyond = sub(at, scale(normal, 1e-5));
      sum = add(sum, scale(mul(colour, radiance(s, (ray){beyond, unit(bent)}, depth - 1)), m->glass));
    }
  }
  return sum;
}

/* ---------------------------------------------------------------- picture */

/* Light to a byte: a shoulder instead of a clipped highlight (Reinhard), then sRGB's gamma. */
static uint8_t to_byte(double light) {
  double mapped = light / (1 + light * 0.35) * 1.1;
  if (mapped <= 0) return 0;
  double encoded = mapped <= 0.0031308 ? 12.92 * mapped : 1.055 * pow(mapped, 1 / 2.4) - 0.055;
  return encoded >= 1 ? 255 : (uint8_t)(encoded * 255 + 0.5);
}

static vec pixel(const scene *s, int x, int y, vec right, vec up, vec forward, double focus) {
  vec sum = v(0, 0, 0);
  int grid = (int)sqrt((double)s->samples);
  for (int i = 0; i < s->samples; i++) {
    random_state = ((uint32_t)y * 32768u + (uint32_t)x) * 2654435761u + (uint32_t)i * 2246822519u;
    chance();
    /* Samples lie in a grid of cells, shaken within each; what is left over lies anywhere. */
    double dx = i < grid * grid ? (i % grid + chance()) / grid : chance();
    double dy = i < grid * grid ? (i / grid + chance()) / grid : chance();
    double px = (x + dx) / s->width * 2 - 1;
    double py = 1 - (y + dy) / s->height * 2;
    vec through = add(forward, add(scale(right, px), scale(up, py)));
    vec target = add(s->eye, scale(through, focus));
    double angle = chance() * 2 * PI, radius = sqrt(chance()) * s->aperture;
    vec eye = add(s->eye, add(scale(unit(right), cos(angle) * radius), scale(unit(up), sin(angle) * radius)));
    sum = add(sum, radiance(s, (ray){eye, unit(sub(target, eye))}, s->depth));
  }
  return scale(sum, 1.0 / s->samples);
}

static void render(const scene *s, int x0, int y0, int width, int height, uint8_t *out) {
  vec view = sub(s->target, s->eye);
  double focus = sqrt(dot(view, view));
  vec forward = scale(view, 1 / focus);
  double tall = tan(s->field * PI / 360);
  vec right = unit(cross(forward, v(0, 1, 0)));
  vec up = scale(cross(right, forward), tall);
  right = scale(right, tall * s->width / s->height);
  for (int y = y0; y < y0 + height; y++) {
    for (int x = x0; x < x0 + width; x++) {
      vec light = pixel(s, x, y, right, up, forward, focus);
      *out++ = to_byte(light.x);
      *out++ = to_byte(light.y);
      *out++ = to_byte(light.z);
    }
  }
}

/* Writes the tile as bytes of red, green, blue, 255: what assembles a picture needs no more. */
static void write_rgba(const uint8_t *rgb, size_t pixels) {
  for (size_t i = 0; i < pixels; i++) {
    uint8_t rgba[4] = {rgb[i * 3], rgb[i * 3 + 1], rgb[i * 3 + 2], 255};
    if (fwrite(rgba, 1, 4, stdout) != 4) fail("standard output", 0, strerror(errno));
  }
}

/* ---- PNG (RFC 2083), with stored instead of compressed data: no library, and any viewer opens it */

static uint32_t crc_of(uint32_t crc, const uint8_t *bytes, size_t count) {
  crc = ~crc;
  for (size_t i = 0; i < count; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

static void put32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void write_chunk(FILE *out, const char *type, const uint8_t *data, size_t count) {
  uint8_t word[4];
  put32(word, (uint32_t)count);
  fwrite(word, 1, 4, out);
  fwrite(type, 1, 4, out);
  fwrite(data, 1, count, out);
  put32(word, crc_of(crc_of(0, (const uint8_t *)type, 4), data, count));
  fwrite(word, 1, 4, out);
}

static void write_png(const char *path, const uint8_t *rgb, int width, int height) {
  size_t row = (size_t)width * 3 + 1, raw = row * (size_t)height;
  uint8_t *data = malloc(raw + raw / 65535 * 5 + 16);
  FILE *out = fopen(path, "wb");
  if (!data || !out) fail(path, 0, strerror(errno));
  uint8_t header[13] = {0};
  put32(header, (uint32_t)width);
  put32(header + 4, (uint32_t)height);
  header[8] = 8; /* bits for each channel */
  header[9] = 2; /* red, green, blue */
  size_t at = 0;
  uint32_t a = 1, b = 0; /* Adler-32 */
  data[at++] = 0x78;
  data[at++] = 0x01;
  for (size_t done = 0; done < raw;) {
    size_t length = raw - done < 65535 ? raw - done : 65535;
    data[at++] = done + length == raw;
    data[at++] = (uint8_t)length;
    data[at++] = (uint8_t)(length >> 8);
    data[at++] = (uint8_t)~length;
    data[at++] = (uint8_t)(~length >> 8);
    for (size_t end = done + length; done < end; done++) {
      size_t column = done % row;
      uint8_t byte = column == 0 ? 0 : rgb[done / row * (row - 1) + column - 1];
      data[at++] = byte;
      a = (a + byte) % 65521;
      b = (b + a) % 65521;
    }
  }
  put32(data + at, b << 16 | a);
  at += 4;
  fwrite("\x89PNG\r\n\x1a\n", 1, 8, out);
  write_chunk(out, "IHDR", header, sizeof header);
  write_chunk(out, "IDAT", data, at);
  write_chunk(out, "IEND", data, 0);
  if (fclose(out) != 0) fail(path, 0, strerror(errno));
  free(data);
}

int main(int argc, char **argv) {
  int rgba = argc == 7 && strcmp(argv[6], "rgba") == 0;
  if (argc != 6 && !rgba) {
    fprintf(stderr, "usage: ray-tracer SCENE X Y WIDTH HEIGHT [rgba]\n");
    return 2;
  }
  static scene s = {.width = 640, .height = 480, .samples = 16, .depth = 6, .field = 45};
  s.target = v(0, 0, -1);
  read_scene(&s, argv[1]);
  int x = whole(argv[2], 0, s.width - 1, "X", 0);
  int y = whole(argv[3], 0, s.height - 1, "Y", 0);
  int width = whole(argv[4], 1, s.width - x, "WIDTH", 0);
  int height = whole(argv[5], 1, s.height - y, "HEIGHT", 0);
  build(&s);

  size_t pixels = (size_t)width * (size_t)height;
  uint8_t *picture = malloc(pixels * 3);
  if (!picture) fail("tile", 0, "out of memory");
  render(&s, x, y, width, height, picture);
  if (rgba) write_rgba(picture, pixels);
  else write_png("/out/tile.png", picture, width, height);
  fprintf(stderr, "%d shapes, %d nodes, %llu rays\n", s.shape_count, s.node_count, (unsigned long long)rays_traced);
  return 0;
}
