/* Integer arithmetic of a tick in C: what `vla_ros.safety` computes in Python, to the bit, in a tenth of the time.

Every function here has a Python form, which its caller names; it is used where this module has not been built, and where a
function raises OverflowError: values are taken up to 2^31 a tick and 2^52 nanoradian, so that no sum leaves 64 bits and each
is exact as a double. test/unit/safety/test_compiled.py compares the two forms. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <string.h>

#define JOINTS 64
#define MOST_TICKS 4096 /* of a way to rest: 16 s */
#define RATE_LIMIT (1LL << 31)
#define PLACE_LIMIT (1LL << 52)

typedef long long integer;
typedef struct { integer q, v, a; } joint_state;
typedef struct { integer acceleration, jerk, release; } joint_limits; /* release: `StopPath`, its release_speed */

static integer absolute(integer x) { return x < 0 ? -x : x; }

/* stopping_distance.py */
static integer stopping_distance(integer v, integer w)
{
    integer n = v / w;
    return (n + 1) * v - w * n * (n + 1) / 2;
}

static integer max_stoppable_speed(integer d, integer w)
{
    integer x, root, n;
    if (d <= 0)
        return 0;
    x = 8 * (d / w) + 1;
    root = (integer)sqrt((double)x);
    while (root * root > x)
        root--;
    while ((root + 1) * (root + 1) <= x)
        root++;
    n = (root - 1) / 2;
    return (d + w * n * (n + 1) / 2) / (n + 1);
}

/* `JerkLimit.stop_policy` */
static integer stop_policy(integer v, integer a, const joint_limits *limits)
{
    integer speed = absolute(v), wanted;
    integer brake = speed >= limits->release ? limits->acceleration : max_stoppable_speed(speed, limits->jerk);
    wanted = v < 0 ? brake : -brake;
    if (wanted > a + limits->jerk)
        return a + limits->jerk;
    if (wanted < a - limits->jerk)
        return a - limits->jerk;
    return wanted;
}

static int overflow(void)
{
    PyErr_SetString(PyExc_OverflowError, "beyond what the kernels compute");
    return -1;
}

static int integer_of(PyObject *value, integer limit, integer *to)
{
    *to = PyLong_AsLongLong(value);
    if (*to == -1 && PyErr_Occurred())
        return -1;
    return -limit < *to && *to < limit ? 0 : overflow();
}

/* Read (acceleration, jerk) of each joint, per tick. Returns how many there are. */
static Py_ssize_t read_limits(PyObject *object, joint_limits *limits)
{
    PyObject *rows = PySequence_Fast(object, "limits are a sequence");
    Py_ssize_t count = -1, i;
    if (!rows)
        return -1;
    if (PySequence_Fast_GET_SIZE(rows) > JOINTS) {
        overflow();
        goto done;
    }
    for (i = 0; i < PySequence_Fast_GET_SIZE(rows); i++) {
        PyObject *row = PySequence_Fast_GET_ITEM(rows, i);
        if (!PyTuple_Check(row) || PyTuple_GET_SIZE(row) != 2) {
            PyErr_SetString(PyExc_TypeError, "limits are pairs");
            goto done;
        }
        if (integer_of(PyTuple_GET_ITEM(row, 0), RATE_LIMIT, &limits[i].acceleration)
            || integer_of(PyTuple_GET_ITEM(row, 1), RATE_LIMIT, &limits[i].jerk))
            goto done;
        if (limits[i].acceleration < 1 || limits[i].jerk < 1) {
            overflow();
            goto done;
        }
        limits[i].release = stopping_distance(limits[i].acceleration, limits[i].jerk);
    }
    count = i;
done:
    Py_DECREF(rows);
    return count;
}

/* Read (q, v, a) of each joint. */
static int read_states(PyObject *object, Py_ssize_t count, joint_state *states)
{
    PyObject *rows = PySequence_Fast(object, "states are a sequence");
    Py_ssize_t i;
    int result = -1;
    if (!rows)
        return -1;
    if (PySequence_Fast_GET_SIZE(rows) != count) {
        PyErr_SetString(PyExc_ValueError, "there are not as many states as limits");
        goto done;
    }
    for (i = 0; i < count; i++) {
        PyObject *row = PySequence_Fast_GET_ITEM(rows, i);
        if (!PyTuple_Check(row) || PyTuple_GET_SIZE(row) != 3) {
            PyErr_SetString(PyExc_TypeError, "states are (q, v, a)");
            goto done;
        }
        if (integer_of(PyTuple_GET_ITEM(row, 0), PLACE_LIMIT, &states[i].q)
            || integer_of(PyTuple_GET_ITEM(row, 1), RATE_LIMIT, &states[i].v)
            || integer_of(PyTuple_GET_ITEM(row, 2), RATE_LIMIT, &states[i].a))
            goto done;
    }
    result = 0;
done:
    Py_DECREF(rows);
    return result;
}

PyDoc_STRVAR(stop_path_lengths_doc,
"stop_path_lengths(states, limits)\n--\n\n"
"Return `JointMotion.stop_path_length` of each joint: states (q, v, a), limits (acceleration, jerk).");

static PyObject *stop_path_lengths(PyObject *self, PyObject *args)
{
    PyObject *state_rows, *limit_rows, *lengths;
    joint_limits limits[JOINTS];
    joint_state states[JOINTS];
    Py_ssize_t count, i;
    if (!PyArg_ParseTuple(args, "OO", &state_rows, &limit_rows))
        return NULL;
    if ((count = read_limits(limit_rows, limits)) < 0 || read_states(state_rows, count, states))
        return NULL;
    if (!(lengths = PyList_New(count)))
        return NULL;
    for (i = 0; i < count; i++) {
        integer A = limits[i].acceleration, J = limits[i].jerk, length = 0;
        integer speed = absolute(states[i].v), a = absolute(states[i].a);
        if (speed || a) {
            integer rise = stopping_distance(a, J) - a;
            integer ticks = (2 * A + J - 1) / J + 2 + (a + J - 1) / J;
            if ((states[i].v < 0) == (states[i].a < 0) || !speed) {
                integer peak = speed + rise;
                if (peak >= RATE_LIMIT || ticks > MOST_TICKS || peak / A > MOST_TICKS) {
                    Py_DECREF(lengths);
                    overflow();
                    return NULL;
                }
                length = speed + peak * ticks + stopping_distance(peak, A);
            } else {
                integer back = rise > speed ? rise - speed : 0;
                if (rise >= RATE_LIMIT || ticks > MOST_TICKS || (speed + back) / A > MOST_TICKS) {
                    Py_DECREF(lengths);
                    overflow();
                    return NULL;
                }
                length = speed + (speed + back) * ticks + stopping_distance(speed, A) + stopping_distance(back, A);
            }
        }
        PyList_SET_ITEM(lengths, i, PyLong_FromLongLong(length));
        if (!PyList_GET_ITEM(lengths, i)) {
            Py_DECREF(lengths);
            return NULL;
        }
    }
    return lengths;
}

PyDoc_STRVAR(peak_rates_doc,
"peak_rates(before, after, limits, scale)\n--\n\n"
"Return the largest rate of each joint around a step and on the way to rest after it, as bytes of float64.");

/* `VelocityLimit.peak_velocity` */
static integer peak_velocity(integer v, integer a, integer jerk)
{
    return a > 0 ? v + stopping_distance(a, jerk) - a : v;
}

static integer larger(integer x, integer y) { return x > y ? x : y; }

static PyObject *peak_rates(PyObject *self, PyObject *args)
{
    PyObject *before_rows, *after_rows, *limit_rows;
    joint_limits limits[JOINTS];
    joint_state before[JOINTS], after[JOINTS];
    double scale, rates[JOINTS];
    Py_ssize_t count, i;
    if (!PyArg_ParseTuple(args, "OOOd", &before_rows, &after_rows, &limit_rows, &scale))
        return NULL;
    if ((count = read_limits(limit_rows, limits)) < 0 || read_states(before_rows, count, before)
        || read_states(after_rows, count, after))
        return NULL;
    for (i = 0; i < count; i++) {
        integer v = after[i].v, a = after[i].a, jerk = limits[i].jerk;
        integer peak = larger(peak_velocity(v, a, jerk), peak_velocity(-v, -a, jerk));
        if (absolute(peak) >= PLACE_LIMIT) {
            overflow();
            return NULL;
        }
        peak = larger(peak, larger(absolute(before[i].v), absolute(before[i].v - before[i].a)));
        rates[i] = (double)peak * scale;
    }
    return PyBytes_FromStringAndSize((char *)rates, count * (Py_ssize_t)sizeof(double));
}

PyDoc_STRVAR(stop_rates_doc,
"stop_rates(before, after, limits, scale)\n--\n\n"
"Return `CandidatePath.rates` as bytes of float64, row by row.");

static PyObject *stop_rates(PyObject *self, PyObject *args)
{
    PyObject *before_rows, *after_rows, *limit_rows, *result = NULL;
    joint_limits limits[JOINTS];
    joint_state before[JOINTS], after[JOINTS];
    Py_ssize_t count, rows, row, i, most = 0;
    double scale, *values;
    int moving = 0;
    if (!PyArg_ParseTuple(args, "OOOd", &before_rows, &after_rows, &limit_rows, &scale))
        return NULL;
    if ((count = read_limits(limit_rows, limits)) < 0 || read_states(before_rows, count, before)
        || read_states(after_rows, count, after))
        return NULL;
    for (i = 0; i < count; i++) {
        joint_state s = after[i];
        Py_ssize_t ticks = 0;
        for (; s.v || s.a; ticks++) {
            s.a = stop_policy(s.v, s.a, &limits[i]);
            s.v += s.a;
            if (ticks > MOST_TICKS || absolute(s.v) >= RATE_LIMIT) {
                overflow();
                return NULL;
            }
        }
        most = ticks > most ? ticks : most;
        moving = moving || before[i].v || before[i].a || after[i].v || after[i].a;
    }
    rows = 2 + (moving ? most + 2 : 1);
    if (!(result = PyBytes_FromStringAndSize(NULL, rows * count * (Py_ssize_t)sizeof(double))))
        return NULL;
    values = (double *)PyBytes_AS_STRING(result);
    for (i = 0; i < count; i++) {
        joint_state s = after[i];
        values[i] = (double)(before[i].v - before[i].a) * scale;
        values[count + i] = (double)before[i].v * scale;
        for (row = 2; row < rows; row++) {
            values[row * count + i] = (double)s.v * scale;
            s.a = stop_policy(s.v, s.a, &limits[i]);
            s.v += s.a;
        }
    }
    return result;
}

PyDoc_STRVAR(knots_doc,
"knots(rows, limits, period_ns)\n--\n\n"
"Return what `CommittedPath.trajectory` sends of outputs that move, as bytes: the kept knots, int64, their positions and\n"
"velocities, float64, row by row. None: the outputs are all the same.\n\n"
"rows: the newest outputs, nanoradian or nanometre per joint.");

static PyObject *knots(PyObject *self, PyObject *args)
{
    PyObject *row_object, *limit_rows, *outputs = NULL, *found[3] = {NULL, NULL, NULL}, *result = NULL;
    joint_limits limits[JOINTS];
    integer period_ns, *points = NULL, *kept = NULL, *q;
    Py_ssize_t count, given, total, most = 0, i, k, n = 0;
    int same = 1;
    double *p, *v;
    if (!PyArg_ParseTuple(args, "OOL", &row_object, &limit_rows, &period_ns))
        return NULL;
    if ((count = read_limits(limit_rows, limits)) < 0 || !(outputs = PySequence_Fast(row_object, "rows are a sequence")))
        return NULL;
    given = PySequence_Fast_GET_SIZE(outputs);
    if (given < 3 || given > MOST_TICKS) {
        overflow();
        goto done;
    }
    total = given + MOST_TICKS + 4;
    points = PyMem_Malloc(sizeof(integer) * (size_t)(total * (count ? count : 1)));
    kept = PyMem_Malloc(sizeof(integer) * (size_t)total);
    if (!points || !kept) {
        PyErr_NoMemory();
        goto done;
    }
    for (k = 0; k < given; k++) {
        PyObject *row = PySequence_Fast_GET_ITEM(outputs, k);
        if (!PyList_Check(row) || PyList_GET_SIZE(row) != count) {
            PyErr_SetString(PyExc_ValueError, "an output has not as many joints as there are limits");
            goto done;
        }
        for (i = 0; i < count; i++)
            if (integer_of(PyList_GET_ITEM(row, i), PLACE_LIMIT / 8, &points[k * count + i]))
                goto done;
    }
    for (k = 0; k < given * count && same; k++)
        same = points[k] == points[(given - 1) * count + k % count];
    if (same) {
        result = Py_NewRef(Py_None);
        goto done;
    }
    q = points + (given - 1) * count;
    for (i = 0; i < count; i++) { /* how long the longest way is */
        integer vel = q[i] - q[i - count], a = vel - (q[i - count] - q[i - 2 * count]);
        Py_ssize_t ticks = 0;
        if (absolute(vel) >= RATE_LIMIT || absolute(a) >= RATE_LIMIT) {
            overflow();
            goto done;
        }
        for (; vel || a; ticks++) {
            a = stop_policy(vel, a, &limits[i]);
            vel += a;
            if (ticks >= MOST_TICKS || absolute(vel) >= RATE_LIMIT) {
                overflow();
                goto done;
            }
        }
        most = ticks > most ? ticks : most;
    }
    total = given + most + 3;
    for (i = 0; i < count; i++) {
        integer place = q[i], vel = q[i] - q[i - count], a = vel - (q[i - count] - q[i - 2 * count]);
        for (k = given; k < total; k++) {
            a = stop_policy(vel, a, &limits[i]);
            vel += a;
            place += vel;
            points[k * count + i] = place;
        }
    }
    kept[n++] = 0; /* then each knot at which the third difference changes, then the last */
    for (k = 0; k + 4 < total; k++) {
        integer *x = points + k * count;
        for (i = 0; i < count; i++) {
            integer third = x[3 * count + i] - 3 * x[2 * count + i] + 3 * x[count + i] - x[i];
            integer next = x[4 * count + i] - 3 * x[3 * count + i] + 3 * x[2 * count + i] - x[count + i];
            if (third != next) {
                kept[n++] = k + 1;
                break;
            }
        }
    }
    kept[n++] = total - 3;
    found[0] = PyBytes_FromStringAndSize((char *)kept, n * (Py_ssize_t)sizeof(integer));
    found[1] = PyBytes_FromStringAndSize(NULL, n * count * (Py_ssize_t)sizeof(double));
    found[2] = PyBytes_FromStringAndSize(NULL, n * count * (Py_ssize_t)sizeof(double));
    if (!found[0] || !found[1] || !found[2])
        goto done;
    p = (double *)PyBytes_AS_STRING(found[1]);
    v = (double *)PyBytes_AS_STRING(found[2]);
    for (k = 0; k < n; k++)
        for (i = 0; i < count; i++) {
            integer *x = points + kept[k] * count + i;
            *p++ = (double)(x[0] + 4 * x[count] + x[2 * count]) / 6e9;
            *v++ = (double)(x[2 * count] - x[0]) / (2.0 * (double)period_ns);
        }
    result = PyTuple_Pack(3, found[0], found[1], found[2]);
done:
    Py_XDECREF(found[0]);
    Py_XDECREF(found[1]);
    Py_XDECREF(found[2]);
    PyMem_Free(points);
    PyMem_Free(kept);
    Py_DECREF(outputs);
    return result;
}

PyDoc_STRVAR(cdr_points_doc,
"cdr_points(times_ns, positions, velocities, columns)\n--\n\n"
"Return points of a JointTrajectory as `TrajectoryBytes` lays them out, the first on a multiple of 8.\n\n"
"times_ns: (n,) int64, not negative. positions, velocities: (n, joints) float64. columns: of the joints that are written.");

static int get_matrix(PyObject *object, Py_buffer *buffer, int dimensions)
{
    if (PyObject_GetBuffer(object, buffer, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT))
        return -1;
    if (buffer->ndim != dimensions || buffer->itemsize != 8 || !buffer->format
        || strchr(dimensions == 1 ? "lq" : "d", buffer->format[0]) == NULL) {
        PyBuffer_Release(buffer);
        PyErr_SetString(PyExc_TypeError, "the arrays are (n,) int64 and (n, joints) float64");
        return -1;
    }
    return 0;
}

static char *put(char *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return to + size;
}

static PyObject *cdr_points(PyObject *self, PyObject *args)
{
    PyObject *times_object, *p_object, *v_object, *column_object, *result = NULL;
    Py_buffer times, p, v;
    Py_ssize_t column[JOINTS], width, n, joints, k, i;
    const unsigned int none = 0;
    unsigned int length;
    char *at;
    if (!PyArg_ParseTuple(args, "OOOO!", &times_object, &p_object, &v_object, &PyList_Type, &column_object))
        return NULL;
    if ((width = PyList_GET_SIZE(column_object)) > JOINTS) {
        overflow();
        return NULL;
    }
    if (get_matrix(times_object, &times, 1))
        return NULL;
    if (get_matrix(p_object, &p, 2)) {
        PyBuffer_Release(&times);
        return NULL;
    }
    if (get_matrix(v_object, &v, 2)) {
        PyBuffer_Release(&times);
        PyBuffer_Release(&p);
        return NULL;
    }
    n = times.shape[0];
    joints = p.shape[1];
    if (p.shape[0] != n || v.shape[0] != n || v.shape[1] != joints) {
        PyErr_SetString(PyExc_ValueError, "the arrays have different lengths");
        goto done;
    }
    for (i = 0; i < width; i++) {
        column[i] = PyLong_AsSsize_t(PyList_GET_ITEM(column_object, i));
        if (column[i] == -1 && PyErr_Occurred())
            goto done;
        if (column[i] < 0 || column[i] >= joints) {
            PyErr_SetString(PyExc_IndexError, "there is no such column");
            goto done;
        }
    }
    if (!(result = PyBytes_FromStringAndSize(NULL, n * (2 * (8 + 8 * width) + 16))))
        goto done;
    at = PyBytes_AS_STRING(result);
    length = (unsigned int)width;
    for (k = 0; k < n; k++) {
        integer time_ns = ((integer *)times.buf)[k];
        int sec = (int)(time_ns / 1000000000);
        unsigned int nanosec = (unsigned int)(time_ns % 1000000000);
        Py_buffer *both[2] = {&p, &v};
        int which;
        for (which = 0; which < 2; which++) {
            double *row = (double *)both[which]->buf + k * joints;
            at = put(put(at, &length, 4), &none, 4);
            for (i = 0; i < width; i++)
                at = put(at, &row[column[i]], 8);
        }
        at = put(put(put(put(at, &none, 4), &none, 4), &sec, 4), &nanosec, 4);
    }
done:
    PyBuffer_Release(&times);
    PyBuffer_Release(&p);
    PyBuffer_Release(&v);
    return result;
}

static PyMethodDef methods[] = {
    {"stop_path_lengths", stop_path_lengths, METH_VARARGS, stop_path_lengths_doc},
    {"peak_rates", peak_rates, METH_VARARGS, peak_rates_doc},
    {"stop_rates", stop_rates, METH_VARARGS, stop_rates_doc},
    {"knots", knots, METH_VARARGS, knots_doc},
    {"cdr_points", cdr_points, METH_VARARGS, cdr_points_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "vla_ros.safety.kernels",
    .m_doc = "Integer arithmetic of a tick; see kernels.c.",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit_kernels(void) { return PyModule_Create(&module); }
