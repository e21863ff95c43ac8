/* For tests/safetensors_twin.py: each line of stdin is a file; it is loaded, and saved as the file's name and ".copy".
   A line for each: "loaded", or the error. */
#include <stdio.h>
#include <string.h>

#include <wick.h>

int main(void)
{
    char from[512], to[520];
    while (fgets(from, sizeof from, stdin)) {
        from[strcspn(from, "\n")] = '\0';
        snprintf(to, sizeof to, "%s.copy", from);
        wk_error error;
        wk_try(&error)
        {
            wk_dict *dict = wk_safetensors_load_file(from);
            if (dict)
                wk_safetensors_save_file(dict, to);
            wk_dict_free(dict);
        }
        const size_t first_line = strcspn(error.message, "\n");
        printf("%.*s\n", error.set ? (int)first_line : 6, error.set ? error.message : "loaded");
    }
    return 0;
}
