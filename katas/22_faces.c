/* The faces in a photo, or along a film, by nets that others trained: facenet-pytorch's MTCNN, whose checkpoints are
   read as torch.save wrote them in 2018.

       build/katas/22_faces --photo me.jpg
       build/katas/22_faces --video me.mp4

   Prints boxes, and leaves in the output folder faces.png, or faces.gif: each face in a box, its eyes, nose and mouth
   marked.  Boxes are those of facenet_pytorch.MTCNN(keep_all=True).detect, to a hundredth of a pixel.

   New here: a model of three nets, with plain C between them; wk_vision_read_image, wk_vision_draw_bounding_boxes,
   wk_vision_read_video, wk_vision_save_animation. */
#include "loaded.h"
#include "mtcnn.h"

/* picture uint8 (3, H, W) -> the same with boxes and points drawn */
static wk_tensor *drawn(wk_tensor *picture, const mtcnn_boxes *faces)
{
    const int64_t N = faces->count, dot = 1 + (wk_size(picture, 1) + wk_size(picture, 2)) / 600;
    if (N == 0)
        return picture;
    wk_tensor *boxes = wk_empty((N, 4)), *points = wk_empty((5 * N, 4));
    const char **labels = malloc((size_t)N * sizeof *labels);
    char(*texts)[16] = malloc((size_t)N * sizeof *texts);
    if (!labels || !texts)
        fprintf(stderr, "no memory for labels\n"), exit(1);
    for (int64_t i = 0; i < N; i++) {
        const mtcnn_box *face = &faces->items[i];
        wk_copy_(wk_select(boxes, 0, i), wk_tensor((4), ((float[]){face->x1, face->y1, face->x2, face->y2})));
        for (int k = 0; k < 5; k++) {
            const float x = face->points[k], y = face->points[5 + k], r = (float)dot;
            wk_copy_(wk_select(points, 0, 5 * i + k), wk_tensor((4), ((float[]){x - r, y - r, x + r, y + r})));
        }
        snprintf(texts[i], sizeof texts[i], "%.0f%%", 100 * (double)face->score);
        labels[i] = texts[i];
    }
    picture = wk_vision_draw_bounding_boxes(picture, points, .color = "yellow", .width = dot);
    picture = wk_vision_draw_bounding_boxes(picture, boxes, .labels = dot > 1 ? labels : NULL, .color = "lime",
                                            .width = dot, .font_size = 10.0 * (double)dot);
    free(labels);
    free(texts);
    return picture;
}

static void tell(const mtcnn_boxes *faces)
{
    for (int64_t i = 0; i < faces->count; i++) {
        const mtcnn_box *face = &faces->items[i];
        printf("  %.2f %.2f %.2f %.2f  %.4f\n", face->x1, face->y1, face->x2, face->y2, face->score);
    }
}

static void look_at_photo(const mtcnn *nets, const char *path, double least, const char *out)
{
    wk_error wrong;
    wk_tensor *photo = NULL; // (3, H, W)
    wk_try(&wrong) photo =
        wk_vision_read_image(loaded_file("photo", path), .mode = "rgb", .apply_exif_orientation = true);
    kata_stop_on(wrong, "photo");
    mtcnn_boxes faces = mtcnn_detect(nets, photo, least);
    printf("%s: %lld %s: left, top, right, bottom, and how sure\n", path, (long long)faces.count,
           faces.count == 1 ? "face" : "faces");
    tell(&faces);
    const char *to = kata_path(out, "faces.png");
    if (wk_vision_write_png(drawn(photo, &faces), to))
        printf("wrote %s\n", to);
    free(faces.items);
}

static void look_along_film(const mtcnn *nets, const char *path, double least, double seconds, const char *out)
{
    wk_error wrong;
    wk_vision_video_info info = {0};
    wk_tensor *film = NULL; // (T, 3, H, W)
    wk_try(&wrong) film = wk_vision_read_video(loaded_file("video", path), .pts_unit = "sec", .end_pts = seconds,
                                               .output_format = "TCHW", .info = &info);
    kata_stop_on(wrong, "video");
    wk_tensor *with = wk_clone(film);
    for (int64_t t = 0; t < wk_size(film, 0); t++)
        wk_scope
    {
        wk_tensor *frame = wk_select(film, 0, t); // (3, H, W)
        mtcnn_boxes faces = mtcnn_detect(nets, frame, least);
        printf("frame %lld: %lld %s\n", (long long)t, (long long)faces.count, faces.count == 1 ? "face" : "faces");
        tell(&faces);
        wk_copy_(wk_select(with, 0, t), drawn(frame, &faces));
        free(faces.items);
    }
    const char *to = kata_path(out, "faces.gif");
    if (wk_vision_save_animation(with, to, .fps = info.video_fps > 0 ? info.video_fps : 10))
        printf("wrote %s\n", to);
}

int main(int argc, char **argv)
{
    static const char *photo = "", *video = "", *weights = "models/facenet_pytorch/data", *out = "out";
    static double least = 20, seconds = 4;
    const kata_option names[] = {
        {"photo", "FILE", "a JPEG or PNG", .text = &photo},
        {"video", "FILE", "a film", .text = &video},
        {"seconds", "X", "of the film, from its beginning", .number = &seconds},
        {"min-face", "PIXELS", "smaller ones are not looked for; the larger, the faster", .number = &least,
         .least = 12},
        {"weights", "FOLDER", "where pnet.pt, rnet.pt and onet.pt are", .text = &weights},
        {"out", "FOLDER", "where faces.png or faces.gif goes", .text = &out},
        {0},
    };
    kata_read_options(argc, argv, "The faces in a photo, or along a film.", names);
    if (!*photo && !*video)
        kata_bad("photo", photo, "a picture, or --video a film");
    kata_make_folder(out);
    const mtcnn nets = {mtcnn_pnet_new(), mtcnn_rnet_new(), mtcnn_onet_new()};
    mtcnn_net *const each[] = {nets.pnet, nets.rnet, nets.onet};
    const char *const files[] = {"pnet.pt", "rnet.pt", "onet.pt"};
    for (int i = 0; i < 3; i++)
        loaded_weights(each[i], "weights", kata_path(weights, files[i]));
    wk_scope
    {
        if (*photo)
            look_at_photo(&nets, photo, least, out);
        if (*video)
            look_along_film(&nets, video, least, seconds, out);
    }
    for (int i = 0; i < 3; i++)
        wk_module_free(each[i]);
    return 0;
}
