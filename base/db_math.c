/*
 * What SQLite's archive refers to of libm: mathematics of SQL that no statement
 * of img's uses.  Without these each start of the program would load that
 * library and look nineteen functions up, a twentieth of what `img exec` costs
 * in the embedded kernel.  Nobody else sees them.
 */
#include <math.h>
#include <stdlib.h>

#define UNUSED_OF_ONE(name)                                                    \
	__attribute__((visibility("hidden"))) double name(double x)            \
	{                                                                      \
		abort();                                                       \
	}
#define UNUSED_OF_TWO(name)                                                    \
	__attribute__((visibility("hidden"))) double name(double x, double y)  \
	{                                                                      \
		abort();                                                       \
	}

UNUSED_OF_ONE(acos)
UNUSED_OF_ONE(acosh)
UNUSED_OF_ONE(asin)
UNUSED_OF_ONE(asinh)
UNUSED_OF_ONE(atan)
UNUSED_OF_ONE(atanh)
UNUSED_OF_ONE(cos)
UNUSED_OF_ONE(cosh)
UNUSED_OF_ONE(exp)
UNUSED_OF_ONE(log)
UNUSED_OF_ONE(sin)
UNUSED_OF_ONE(sinh)
UNUSED_OF_ONE(sqrt)
UNUSED_OF_ONE(tan)
UNUSED_OF_ONE(tanh)
UNUSED_OF_ONE(trunc)
UNUSED_OF_TWO(atan2)
UNUSED_OF_TWO(fmod)
UNUSED_OF_TWO(pow)
