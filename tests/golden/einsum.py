"""PyTorch's einsum."""

import torch

from golden import DTYPES, Golden, numbers, randn

g = Golden("einsum", seed=62)


def einsum(*operands, equation):
    return torch.einsum(equation, *operands)


for equation, *shapes in [
        ("ij->ij", (2, 3)), ("ij->ji", (2, 3)), ("ij", (2, 3)), ("ba", (2, 3)), ("aB", (2, 3)), ("ij->", (2, 3)),
        ("ij->j", (2, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)), ("iij->j", (2, 2, 3)), ("iji->ij", (2, 3, 2)),
        ("iiii->i", (2, 2, 2, 2)), ("ijij->ji", (2, 3, 2, 3)), ("...", (2, 3)), ("...i->...", (2, 3)),
        ("i...->...i", (2, 3, 2)), ("...->", (2, 3)), ("->", ()), ("", ()), ("i...", (2,)),
        ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ij,jk->ki", (2, 3), (3, 4)), ("i,i->", (3,), (3,)),
        ("i,j->ij", (2,), (3,)), ("i,j->ji", (2,), (3,)), ("ij,ij->ij", (2, 3), (2, 3)), ("ij,ij->", (2, 3), (2, 3)),
        ("ij,ij->i", (2, 3), (2, 3)), ("ij,ji->i", (2, 3), (3, 2)), ("ij,j->ij", (2, 3), (3,)), ("i,->i", (2,), ()),
        (",->", (), ()), ("bij,bjk->bik", (2, 2, 3), (2, 3, 4)), ("bij,bkj->bki", (2, 2, 3), (2, 4, 3)),
        ("bhid,bhjd->bhij", (2, 2, 3, 4), (2, 2, 2, 4)), ("bhij,bhjd->bhid", (2, 2, 3, 4), (2, 2, 4, 2)),
        ("bhij,bhjd->bihd", (2, 2, 3, 4), (2, 2, 4, 2)), ("nlhd,nshd->nhls", (2, 3, 2, 4), (2, 2, 2, 4)),
        ("nhwc,hkc->nhwk", (2, 3, 2, 4), (3, 2, 4)), ("bhwc,wkc->bhwk", (2, 3, 2, 4), (2, 2, 4)),
        ("bnd,de->bne", (2, 3, 4), (4, 2)), ("bij,kj->bik", (2, 2, 3), (4, 3)), ("abc,cde->abde", (2, 2, 3), (3, 2, 2)),
        ("abc,bcd->ad", (2, 3, 2), (3, 2, 3)), ("abc,cbd->ad", (2, 3, 2), (2, 3, 3)), ("bctn,cd->bdtn", (2, 3, 2, 2), (3, 4)),
        ("nctv,vw->nctw", (2, 2, 3, 3), (3, 3)), ("nkctv,kvw->nctw", (2, 2, 2, 2, 3), (2, 3, 3)),
        ("...ij,...jk->...ik", (2, 1, 2, 3), (2, 3, 2)), ("...ij,jk->...ik", (2, 2, 3), (3, 2)), ("...,...", (2, 3), (3,)),
        ("i...,i...->...", (2, 3), (2, 1)), ("...i,...i", (2, 1, 3), (2, 3)), ("ij...,jk...->ik...", (2, 3), (3, 2, 2)),
        ("ij,jk->ik", (2, 1), (3, 4)), ("bij,bjk->bik", (1, 2, 3), (2, 3, 2)), ("ij,ij->ij", (1, 3), (2, 1)),
        ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)), ("bi,ijk,bk->bj", (2, 3), (3, 2, 4), (2, 4)),
        ("bn,anm,bm->ba", (2, 3), (2, 3, 4), (2, 4)), ("i,j,k->kij", (2,), (3,), (2,)), ("ij,ij,ij->i", (2, 3), (2, 3), (2, 3)),
        ("i,ij,jk,k->", (2,), (2, 3), (3, 2), (2,)), ("ijk,il,jm,kn->lmn", (2, 3, 2), (2, 2), (3, 2), (2, 3)),
        ("iij,jk->k", (2, 2, 3), (3, 2)), ("ik,jk->", (2, 3), (2, 3)), ("ij,kl->ik", (2, 3), (2, 3)), ("Ab,bC->AC", (2, 3), (3, 2)),
        ("aB,Bc", (2, 3), (3, 2)), (" i j , j k -> i k ", (2, 3), (3, 2)), ("ab,bc,cd,de,ea->", (2, 2), (2, 2), (2, 2), (2, 2), (2, 2)),
        ("a,b,c,d,e->abcde", (2,), (1,), (2,), (1,), (2,)), ("abcdef,fg->abcdeg", (1, 2, 1, 2, 1, 2), (2, 2)),
        ("ij,jk->ik", (0, 3), (3, 2)), ("ij,jk->ik", (2, 0), (0, 3)), ("ij->i", (2, 0)), ("i,j->ij", (0,), (2,)),
]:
    g.case("einsum", einsum, [randn(shape, dtype=torch.float64) for shape in shapes], equation=equation)
for dtype in DTYPES:
    g.case("einsum", einsum, [numbers(2, 2, 3, dtype=dtype), numbers(2, 3, 4, dtype=dtype)], equation="bij,bjk->bik")
    g.case("einsum", einsum, [numbers(2, 3, dtype=dtype), numbers(3, dtype=dtype)], equation="ij,j->ij")
    g.case("einsum", einsum, [numbers(2, 3, dtype=dtype)], equation="ij->i")
for dtype in (torch.complex64, torch.complex128):
    g.case("einsum", einsum, [numbers(2, 3, dtype=dtype), numbers(3, 2, dtype=dtype), numbers(2, dtype=dtype)],
           equation="ij,jk,k->i", gradient="complex")
nan, inf = float("nan"), float("inf")
g.case("einsum", einsum, [torch.tensor([[nan, 1.0], [2.0, inf]]), torch.tensor([[1.0, 0.0], [-1.0, 2.0]])], equation="ij,jk->ik")
for equation, *shapes in [("ij,jk->ik", (2, 3), (2, 3)), ("ij", (2,)), ("i", (2, 2)), ("ii", (2, 3)), ("ij->ii", (2, 2)), ("ij->k", (2, 2)),
                          ("ij,jk->ik", (2, 3)), ("ij->ij", (2, 3), (2, 3)), ("i.j", (2, 3)), ("i1->i", (2, 3)), ("ij->i->j", (2, 3)),
                          ("i...j...", (2, 3)), ("...i,...i", (2, 3), (3, 3))]:
    g.case("einsum", einsum, [randn(shape) for shape in shapes], equation=equation)

g.write()
