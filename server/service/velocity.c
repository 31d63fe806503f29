#include "service/velocity.h"

#include "service/check.h"
#include "service/shape.h"

static const int64_t WINDOW_MIN_US = US_PER_SECOND, WINDOW_MAX_US = INT64_C(86400) * US_PER_SECOND;

static bool check_bounds(const Alliance__V1__Velocity *asked, int32_t holds_max, struct error *err)
{
    return check_range("max_holds", asked->max_holds, 0, holds_max, err) &&
           check_range("max_points", asked->max_points, 0, POINTS_MAX, err) &&
           (asked->max_holds || asked->max_points ||
            error_field(err, REASON_FIELD_INVALID, "max_holds",
                        "must be set, or max_points, or neither with a window"));
}

bool velocity_read(const char *field, const Alliance__V1__Velocity *asked, int32_t holds_max, struct velocity *velocity,
                   struct error *err)
{
    *velocity = (struct velocity){ 0 };
    if (!asked)
        return true;
    velocity->max_holds = asked->max_holds;
    velocity->max_points = asked->max_points;
    return (check_set("window", asked->window, err) &&
            check_duration("window", asked->window, WINDOW_MIN_US, WINDOW_MAX_US, &velocity->window_us, err) &&
            check_bounds(asked, holds_max, err)) ||
           check_within(err, "%s", field);
}

bool velocity_shape(struct arena *arena, const struct velocity *velocity, Alliance__V1__Velocity **shaped)
{
    *shaped = NULL;
    if (!velocity->window_us)
        return true;
    *shaped = shape_new(arena, &alliance__v1__velocity__descriptor);
    if (!*shaped)
        return false;
    (*shaped)->window = shape_new(arena, &google__protobuf__duration__descriptor);
    if (!(*shaped)->window)
        return false;
    (*shaped)->window->seconds = velocity->window_us / US_PER_SECOND;
    (*shaped)->window->nanos = (int32_t)(velocity->window_us % US_PER_SECOND) * 1000;
    (*shaped)->max_holds = velocity->max_holds;
    (*shaped)->max_points = velocity->max_points;
    return true;
}
