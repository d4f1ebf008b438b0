// SPDX-License-Identifier: MIT
#include "engine/desktop/report_image.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdint.h>
#include <stdlib.h>

enum { COLOURS = 256, ROWS = SPECTROGRAM_ROWS };
static const double RANGE_DB = 80.0;

struct colour {
    unsigned char red, green, blue;
};

// From black over violet and orange to a light yellow: brightness rises all the way, so that the
// picture reads the same in grey and to the colour-blind.
static void fill_palette(struct colour palette[COLOURS])
{
    static const double stops[][3] = {{4, 4, 12},    {52, 14, 92},   {122, 28, 108},
                                      {196, 56, 82}, {244, 118, 40}, {252, 252, 196}};
    enum { LAST = sizeof stops / sizeof stops[0] - 1 };
    for (int i = 0; i < COLOURS; ++i) {
        const double position = (double)i * LAST / (COLOURS - 1);
        const int stop = position < LAST ? (int)position : LAST - 1;
        double mixed[3];
        for (int c = 0; c < 3; ++c)
            mixed[c] = stops[stop][c] + (position - stop) * (stops[stop + 1][c] - stops[stop][c]);
        palette[i] = (struct colour){(unsigned char)mixed[0], (unsigned char)mixed[1],
                                     (unsigned char)mixed[2]};
    }
}

static double db_of(double power)
{
    return 10.0 * log10(fmax(power, 1e-30));
}

void report_image_fit(struct report_image_range *range, const struct spectrogram *spectrogram)
{
    float highest = 0;
    for (uint32_t c = 0; c < spectrogram_columns(spectrogram); ++c)
        for (int s = 0; s < SPECTROGRAM_SIGNALS; ++s) {
            const float *rows = spectrogram_column(spectrogram, (enum spectrogram_signal)s, c);
            for (uint32_t row = 0; row < ROWS; ++row)
                highest = rows[row] > highest ? rows[row] : highest;
        }
    range->high_db = highest > 0 ? db_of((double)highest) : 0.0;
    range->low_db = range->high_db - RANGE_DB;
}

static unsigned char index_of(float power, const struct report_image_range *range)
{
    const double share = (db_of((double)power) - range->low_db) / (range->high_db - range->low_db);
    return (unsigned char)lround(fmin(fmax(share, 0.0), 1.0) * (COLOURS - 1));
}

static void write_base64(FILE *out, const unsigned char *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        const size_t left = count - i;
        const uint32_t group = (uint32_t)bytes[i] << 16 |
                               (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                               (left > 2 ? (uint32_t)bytes[i + 2] : 0);
        const char text[4] = {digits[group >> 18], digits[group >> 12 & 63],
                              left > 1 ? digits[group >> 6 & 63] : '=',
                              left > 2 ? digits[group & 63] : '='};
        (void)fwrite(text, 1, sizeof text, out); // the stream keeps its error
    }
}

static unsigned char *pixels_of(const struct spectrogram *spectrogram,
                                enum spectrogram_signal signal,
                                const struct report_image_range *range)
{
    const uint32_t columns = spectrogram_columns(spectrogram);
    unsigned char *pixels = malloc((size_t)columns * ROWS);
    for (uint32_t c = 0; pixels && c < columns; ++c) {
        const float *rows = spectrogram_column(spectrogram, signal, c);
        for (uint32_t row = 0; row < ROWS; ++row)
            pixels[(size_t)(ROWS - 1 - row) * columns + c] = index_of(rows[row], range);
    }
    return pixels;
}

// @return PNG bytes, the caller's to free(), or NULL without memory.
static unsigned char *encode(const unsigned char *pixels, uint32_t columns, size_t *bytes)
{
    struct colour palette[COLOURS];
    fill_palette(palette);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = columns,
                       .height = ROWS,
                       .format = PNG_FORMAT_RGB_COLORMAP,
                       .colormap_entries = COLOURS};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    unsigned char *png = malloc(size);
    if (!png || !png_image_write_to_memory(&image, png, &size, 0, pixels, 0, palette)) {
        free(png);
        return NULL;
    }
    *bytes = size;
    return png;
}

int report_image_write(FILE *out, const struct spectrogram *spectrogram,
                       enum spectrogram_signal signal, const struct report_image_range *range,
                       const char *alt)
{
    assert(range->high_db > range->low_db);
    unsigned char *pixels = pixels_of(spectrogram, signal, range);
    size_t bytes;
    unsigned char *png = pixels ? encode(pixels, spectrogram_columns(spectrogram), &bytes) : NULL;
    if (png) {
        fprintf(out, "<img alt=\"%s\" src=\"data:image/png;base64,", alt);
        write_base64(out, png, bytes);
        fprintf(out, "\">");
    }
    free(pixels);
    free(png);
    return png ? 0 : -ENOMEM;
}
